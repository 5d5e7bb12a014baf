"""What went wrong, as problem+json (RFC 9457): a sentence for a person, and for a program where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from notifier.clean import plain
from notifier.errors import NotFound, NotifierError, RuleError, StoreError, UsageError
from notifier.ids import new_id

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
_RULE = "urn:notifier:problem:rule"
_INPUT = "urn:notifier:problem:input"
_MOST_FAULTS = 20


class Fault(BaseModel):
    """One thing in the request that is wrong."""

    at: str = Field(description="Where: a JSON Pointer into the body, or the name of a parameter.", examples=["/mode"])
    what: str = Field(description="What is wrong with it.", examples=["Input should be 'include' or 'mute'"])


class Problem(BaseModel):
    """An error (RFC 9457). ``detail`` says what happened and what to do."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": _RULE,
                    "title": "Unprocessable Entity",
                    "status": 422,
                    "detail": "unknown field 'catagory': did you mean 'category'? (column 1)",
                    "column": 1,
                    "suggestion": "category",
                }
            ]
        }
    )

    type: str = Field(
        "about:blank",
        description=f"`{_RULE}` for a rule that does not parse, `{_INPUT}` where the request does not fit this "
        "document, else `about:blank`.",
    )
    title: str
    status: int
    detail: str
    column: int | None = Field(None, description="Of a rule: the place in its text, from 1 on.")
    suggestion: str | None = Field(None, description="Of a rule: what may be meant.")
    errors: list[Fault] | None = Field(None, description="Each thing in the request that is wrong.")


class Refusal(Exception):
    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


def register(api: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """``routes`` are those of all operations."""
    api.state.routes = routes
    api.add_exception_handler(Refusal, _refusal)
    api.add_exception_handler(NotifierError, _expected)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(RequestValidationError, _unfit)
    api.add_exception_handler(Exception, _bug)


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: object) -> Response:
    told = Problem.model_validate({"title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more})
    return Response(told.model_dump_json(exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE)


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 - registered for it
    return problem(error.status, error.detail, headers=error.headers)


async def _expected(request: Request, error: Exception) -> Response:
    match error:
        case NotFound():
            return problem(404, str(error))
        case RuleError():
            return problem(422, str(error), type=_RULE, column=error.column, suggestion=error.suggestion)
        case UsageError():
            return problem(422, str(error))
        case StoreError():
            log.error("database cannot be used", error=str(error))
            sentence = "The database cannot be used at the moment: try again later."
            return problem(503, sentence, headers={"Retry-After": "30"})
    return await _bug(request, error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    return problem(error.status_code, f"{error.detail}: see /api/v1/openapi.json.", headers=headers)


def _allowed(request: Request) -> str:
    """Of all operations at this path; the router names only those of the first."""
    here = (each for each in request.app.state.routes if each.matches(request.scope)[0] is not Match.NONE)
    return ", ".join(sorted({method for route in here for method in route.methods}))


async def _unfit(request: Request, error: Exception) -> Response:
    """Without what was given: it may be a secret, or as long as it likes."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    faults = [
        Fault(at=_place(each["loc"]), what=plain(each["msg"], limit=200)) for each in error.errors()[:_MOST_FAULTS]
    ]
    first = faults[0]
    return problem(422, f"{first.at}: {first.what}.", type=_INPUT, errors=faults)


def _place(loc: tuple[int | str, ...]) -> str:
    kind, *rest = loc
    parts = [plain(str(part), limit=60) for part in rest]
    return f"/{'/'.join(parts)}" if kind == "body" else ".".join(parts) or str(kind)


async def _bug(request: Request, error: Exception) -> Response:
    number = new_id("e")
    log.error("api failed", number=number, path=request.url.path, exc_info=error)
    return problem(500, f"Something failed here and is noted in the log as {number}: try again later.")
