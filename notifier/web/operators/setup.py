"""Settings as they are, with secrets masked; tokens of the operator; what operators did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from notifier.render import Catalog
from notifier.settings import Settings, written
from notifier.web.base import page, words
from notifier.web.operators.rights import Operator
from notifier.web.site import site

router = APIRouter(include_in_schema=False, prefix="/operator")

_HISTORY = 200
# A command line may hold what it is to print.
_MASKED = frozenset({"smtp_token_command"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    name: str
    value: str
    meaning: str
    is_set: bool
    """Whether it differs from its default."""


@router.get("/settings")
async def settings(request: Request, operator: Operator) -> Response:
    shown = list(shown_settings(site(request).app.settings, words(request)))
    return page(request, "web/operators/settings.html", settings=shown)


@router.get("/history")
async def history(request: Request, operator: Operator) -> Response:
    found = await site(request).read(lambda store: store.operations.newest(limit=_HISTORY))
    said = words(request)
    lines = [
        {
            "at": said.moment(each.at, operator.timezone),
            "actor": each.actor,
            "act": each.act,
            "subject": each.subject,
        }
        for each in found
    ]
    return page(request, "web/operators/history.html", lines=lines)


def shown_settings(settings: Settings, said: Catalog) -> Iterator[Setting]:
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        is_set = bool(value != field.get_default(call_default_factory=True))
        masked = name in _MASKED and bool(value)
        yield Setting(
            name=name,
            value=said.say("set, not shown") if masked else _text(value, said),
            meaning=field.description or "",
            is_set=is_set,
        )


def _text(value: object, said: Catalog) -> str:
    match value:
        case SecretStr():
            return said.say("set, not shown") if value.get_secret_value() else "–"
        case bool():
            return said.say("yes") if value else said.say("no")
        case timedelta():
            return written(value)
        case Mapping():
            return ", ".join(map(str, value)) or "–"
        case tuple():
            return ", ".join(_text(each, said) for each in value) or "–"
        case None | "":
            return "–"
    return str(value)
