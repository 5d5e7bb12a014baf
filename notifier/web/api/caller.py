"""Who asks: a token in the Authorization header (RFC 6750), what it is good for, and whose things it opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from starlette.requests import Request

from notifier import access
from notifier.clean import plain
from notifier.edit import Author
from notifier.errors import NotFound
from notifier.lookup import subscriber_of
from notifier.model import ApiToken, Scope, Subscription
from notifier.ports import Store
from notifier.web.api.problems import Problem, Refusal
from notifier.web.base import MINUTE, own
from notifier.web.site import site

_scheme = HTTPBearer(
    scheme_name="token",
    auto_error=False,
    description="A token made on the page Account or with `notifier token add`, for the scopes an operation names.",
)

_SLOW_A_MINUTE = 120

ANSWERS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body cannot be read"},
    401: {"model": Problem, "description": "No token, or one that has expired or was revoked"},
    403: {"model": Problem, "description": "The token is not good for this"},
    413: {"model": Problem, "description": "The body is larger than 16 MiB"},
    422: {"model": Problem, "description": "Something in the request is wrong; it says what and where"},
    503: {"model": Problem, "description": "The database cannot be used at the moment"},
}
SLOW: dict[int | str, dict[str, Any]] = {429: {"model": Problem, "description": "Too often: `Retry-After` says when"}}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such thing"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    token: ApiToken

    @property
    def author(self) -> Author:
        """For the history: whose token, and that it was one."""
        return Author(name=self.token.owner or f"token {self.token.name}", via="api")

    def subscription(self, store: Store, id: str) -> Subscription:
        """One that the token opens. Raises NotFound for any other, there or not."""
        if self.token.owner:
            return own(store, id, subscriber_of(store, self.token.owner))
        if found := store.subscriptions.get([id]).get(id):
            return found
        raise NotFound("There is no such subscription.")


async def only_known(request: Request) -> None:
    """A parameter that the operation does not have is a mistake, and not to be passed over."""
    known = {each.alias for each in request.scope["route"].dependant.query_params}
    if unknown := sorted(set(request.query_params) - known):
        names = ", ".join(plain(each, limit=60) for each in unknown[:5])
        raise Refusal(422, f"There is no parameter {names} here: see /api/v1/openapi.json.")


def demand_turn(request: Request, caller: Caller) -> None:
    """What takes long may be asked for twice a second on the average. Raises Refusal."""
    house = site(request)
    if seconds := house.paces.wait("api", caller.token.id, _SLOW_A_MINUTE, MINUTE, house.now()):
        sentence = f"That takes long and was asked for too often: try again in {seconds} s."
        raise Refusal(429, sentence, headers={"Retry-After": str(seconds)})


async def _caller(
    request: Request,
    needed: SecurityScopes,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)],
) -> Caller:
    house = site(request)
    if given is None:
        raise Refusal(401, "Send a token: Authorization: Bearer notifier_t_…", headers=_challenge())
    now, operators = house.now(), house.app.settings.operators
    token = await house.read(lambda store: access.believed(store, given.credentials, operators=operators, now=now))
    if token is None:
        sentence = "The token is unknown, has expired or was revoked: make another one."
        raise Refusal(401, sentence, headers=_challenge(error="invalid_token"))
    if missing := set(needed.scopes) - token.scopes:
        names = " ".join(sorted(missing))
        sentence = f"The token is not good for this: it needs the scope {names}."
        raise Refusal(403, sentence, headers=_challenge(error="insufficient_scope", scope=names))
    if access.is_use_to_note(token, now=now):
        await house.write(lambda store: store.api_tokens.touch(token.id, at=now))
    return Caller(token=token)


def _challenge(**parts: str) -> dict[str, str]:
    said = ", ".join(f'{name}="{value}"' for name, value in {"realm": "Notifier", **parts}.items())
    return {"WWW-Authenticate": f"Bearer {said}"}


AnyCaller = Annotated[Caller, Security(_caller)]
ReadsEntries = Annotated[Caller, Security(_caller, scopes=[Scope.ENTRIES])]
ReadsSubscriptions = Annotated[Caller, Security(_caller, scopes=[Scope.SUBSCRIPTIONS])]
ChangesRules = Annotated[Caller, Security(_caller, scopes=[Scope.RULES])]
Feeds = Annotated[Caller, Security(_caller, scopes=[Scope.FEED])]
HandsInBounces = Annotated[Caller, Security(_caller, scopes=[Scope.BOUNCES])]
