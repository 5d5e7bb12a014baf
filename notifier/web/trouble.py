"""Errors as pages in words; under ``/api/`` as problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from notifier.errors import NotFound, NotifierError, RuleError, StoreError, UsageError
from notifier.ids import new_id
from notifier.render import message
from notifier.web.base import LoginNeeded, TooOften, page, see_other, words

log = structlog.get_logger()

_SENTENCES = {
    404: message("There is nothing here. The address may be mistyped, or what it named is gone."),
    405: message("This page cannot be asked that way. Go back and use the button there."),
    413: message("That is too much at once. Shorten it and send it again."),
    422: message("The form is not complete. Go back and fill in what is missing."),
}
_LOG_IN = message("Log in first.")
_TOO_OFTEN = message("That was too often in a short time. Try again in a few minutes.")
_DATABASE = message("The database cannot be used at the moment. Try again later.")
_BUG = message(
    "Something failed here and is noted in the log as %(number)s: tell whoever runs this, or try again later."
)
_TITLES = {
    404: message("Not found"),
    429: message("Too often"),
    500: message("That did not work"),
    503: message("Not available at the moment"),
}


def register(web: FastAPI) -> None:
    web.add_exception_handler(LoginNeeded, _login)
    web.add_exception_handler(TooOften, _too_often)
    web.add_exception_handler(NotifierError, _expected)
    web.add_exception_handler(HTTPException, _http)
    web.add_exception_handler(RequestValidationError, _incomplete)


def problem(
    request: Request, status: int, sentence: str, *, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    """The answer to a request that failed; ``sentence`` says what happened and what to do."""
    if request.url.path.startswith("/api/"):
        title = HTTPStatus(status).phrase
        body = {"type": "about:blank", "title": title, "status": status, "detail": sentence, **more}
        return JSONResponse(body, status, headers=headers, media_type="application/problem+json")
    heading = words(request).say(_TITLES.get(status, _TITLES[500]))
    return page(request, "web/problem.html", status=status, headers=headers, heading=heading, sentence=sentence)


async def bug(request: Request, error: Exception) -> Response:
    number = new_id("e")
    log.error("page failed", number=number, page=_route(request), exc_info=error)
    return problem(request, 500, words(request).say(_BUG, number=number))


def _route(request: Request) -> str:
    """Without what stands in it: some paths have a secret in them."""
    return str(getattr(request.scope.get("route"), "path", "?"))


async def _login(request: Request, error: Exception) -> Response:
    if request.method != "GET" or request.url.path.startswith("/api/"):
        return problem(request, 401, words(request).say(_LOG_IN))
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return see_other("/login", next=path)


async def _too_often(request: Request, error: Exception) -> Response:
    assert isinstance(error, TooOften)  # noqa: S101 - registered for it
    return problem(request, 429, words(request).say(_TOO_OFTEN), headers={"Retry-After": str(error.seconds)})


async def _expected(request: Request, error: Exception) -> Response:
    # Sentences that pages raise themselves are translated; those of deeper rooms are English.
    said = words(request).translations.gettext(str(error))
    match error:
        case NotFound():
            return problem(request, 404, said)
        case RuleError():
            return problem(request, 400, said, column=error.column, suggestion=error.suggestion)
        case UsageError():
            return problem(request, 400, said)
        case StoreError():
            log.error("database cannot be used", error=str(error))
            return problem(request, 503, words(request).say(_DATABASE))
        case _:
            return problem(request, 500, said)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    known = _SENTENCES.get(error.status_code)
    sentence = words(request).say(known) if known else str(error.detail)
    return problem(request, error.status_code, sentence, headers=error.headers)


async def _incomplete(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    where = [{"at": [str(part) for part in each["loc"]], "what": each["msg"]} for each in error.errors()]
    return problem(request, 422, words(request).say(_SENTENCES[422]), errors=where)
