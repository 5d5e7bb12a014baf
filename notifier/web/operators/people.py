"""Subscribers: found, invited, left without mail, removed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from notifier import account, entrance
from notifier.entrance import Wanted
from notifier.errors import NotFound, RuleError, UsageError
from notifier.model import Subscriber, Subscription
from notifier.ports import Store
from notifier.render import Catalog, message
from notifier.settings import Language
from notifier.web.base import page, see_other, words
from notifier.web.operators.rights import Operator, do
from notifier.web.site import site
from notifier.web.wording import cadence_words, channel_words, next_words

router = APIRouter(include_in_schema=False, prefix="/operator/people")

_SHOWN = 50
_NO_SUCH = message("There is no such subscriber.")


@router.get("")
async def list_(request: Request, operator: Operator, text: str = "", after: str = "", done: str = "") -> Response:
    def work(store: Store) -> tuple[list[Subscriber], dict[str, int]]:
        found = store.subscribers.page(text=text.strip(), after=after, limit=_SHOWN + 1)
        return found, store.subscribers.subscriptions_of(each.id for each in found)

    found, counts = await site(request).read(work)
    said = words(request)
    return page(
        request,
        "web/operators/people.html",
        text=text.strip(),
        done=done,
        people=[
            {
                "email": each.email,
                "name": each.name,
                "since": said.moment(each.created_at, operator.timezone),
                "subscriptions": counts.get(each.id, 0),
            }
            for each in found[:_SHOWN]
        ],
        next=found[_SHOWN - 1].email if len(found) > _SHOWN else None,
    )


@router.get("/invite")
async def ask_invite(request: Request, operator: Operator) -> Response:
    wanted = Wanted(email="", timezone=site(request).app.settings.default_timezone, language=operator.language)
    return _invitation(request, wanted, None)


@router.post("/invite")
async def invite(
    request: Request,
    operator: Operator,
    email: Annotated[str, Form(max_length=320)],
    query: Annotated[str, Form(max_length=2000)] = "",
    packs: Annotated[tuple[str, ...], Form()] = (),
    language: Annotated[Language, Form()] = Language.EN,
) -> Response:
    """They get the letter that confirms a subscription: nothing begins before they press its button."""
    house, now = site(request), site(request).now()
    wanted = Wanted(
        email=email, query=query, packs=packs, timezone=house.app.settings.default_timezone, language=language
    )

    def work(store: Store) -> None:
        entrance.ask_to_subscribe(store, house.app.topics, house.packs, wanted, link=house.url, now=now)

    try:
        await do(request, operator, "invite", [email.strip()], work)
    except (RuleError, UsageError) as error:
        return _invitation(request, wanted, words(request).translations.gettext(str(error)))
    return see_other("/operator/people", done="invite")


@router.get("/{email:path}")
async def show(request: Request, operator: Operator, email: str) -> Response:
    person, subscriptions, suppressed = await site(request).read(lambda store: _person(store, email))
    said = words(request)
    return page(
        request,
        "web/operators/person.html",
        person=person,
        since=said.moment(person.created_at, operator.timezone),
        suppressed=suppressed,
        subscriptions=[_shown(each, said) for each in subscriptions],
        is_self=person.id == operator.id,
    )


@router.post("/{email:path}/remove")
async def remove(request: Request, operator: Operator, email: str) -> Response:
    def work(store: Store) -> None:
        _person(store, email)
        account.remove_subscriber(store, email)

    await do(request, operator, "remove subscriber", [email], work)
    return see_other("/operator/people", done="remove")


def _person(store: Store, email: str) -> tuple[Subscriber, list[Subscription], str | None]:
    """With what is theirs, and why no mail goes to them."""
    if (person := store.subscribers.get(email)) is None:
        raise NotFound(_NO_SUCH)
    suppression = store.bounces.get(person.email)
    return person, store.subscriptions.all(person.email), suppression.reason if suppression else None


def _shown(each: Subscription, said: Catalog) -> dict[str, str]:
    return {
        "id": each.id,
        "cadence": cadence_words(each.cadence, said),
        "channel": channel_words(each.address, said),
        "next": next_words(each, said),
    }


def _invitation(request: Request, wanted: Wanted, error: str | None) -> Response:
    house = site(request)
    return page(
        request,
        "web/operators/invite.html",
        status=400 if error else 200,
        wanted=wanted,
        packs=house.packs.values(),
        error=error,
    )
