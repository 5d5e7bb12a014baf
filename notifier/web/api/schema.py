"""The OpenAPI document: what FastAPI makes of the operations, with errors as what they are."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from notifier.web.api.problems import MEDIA_TYPE

DESCRIPTION = """\
Papers, subscriptions and their rules, for programs.

Every request carries a token: `Authorization: Bearer notifier_t_…`. Make one on the page *Account*, or with
`notifier token add NAME --scope entries`. A subscriber's token opens their own subscriptions, the operator's
everybody's. Scopes: `entries` (read papers, search, topics), `subscriptions` (read subscriptions, rules, digests, the
next digest), `rules` (change rules and subscriptions), `feed` (add papers), `bounces` (hand in mail that came back).

Errors are `application/problem+json` (RFC 9457): `detail` is a sentence, a rule's error has its `column`. Times are
UTC. Lists come in pages: give `next` of one as `cursor` of the next. A POST with an `Idempotency-Key` may be sent
again within 24 hours and is done once.
"""


class Documented(FastAPI):
    """Its document is made for the first who asks: that takes most of a second."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            _complete(super().openapi())
        assert self.openapi_schema is not None  # noqa: S101 - FastAPI keeps what it made
        return self.openapi_schema


def _complete(document: dict[str, Any]) -> None:
    """With the media type that errors really have."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if not status.startswith("2"):
                    response["content"] = {MEDIA_TYPE: _schema(response)}
    # Errors of FastAPI's own shape do not occur.
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)


def _schema(response: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = response["content"]
    return next(iter(content.values()))
