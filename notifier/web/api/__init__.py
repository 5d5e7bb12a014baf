"""The JSON API, ``/api/v1``: the same use cases as the shell's, for other programs.

    caller     who asks: a bearer token, what it is good for, whose things it opens
    once       a POST with an idempotency key is done once, and answered again
    paging     lists go on behind a cursor
    problems   errors as problem+json (RFC 9457)
    shapes     what goes over the wire
    schema     the OpenAPI document

It is an application of its own, mounted by the pages': its errors are for programs, and it knows no cookie.
"""

from notifier.web.api.application import create_api

__all__ = ["create_api"]
