"""Scripts and styles. Their addresses carry the hash of their bytes, so browsers keep them for good."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from notifier.web.site import site

router = APIRouter(include_in_schema=False)
_FOR_GOOD = "public, max-age=31536000, immutable"


@router.get("/static/{name:path}")
async def file(request: Request, name: str) -> Response:
    found = site(request).pages.files.get(name)
    if found is None:
        raise HTTPException(404)
    is_small = "gzip" in request.headers.get("accept-encoding", "")
    headers = {
        "Cache-Control": _FOR_GOOD if request.url.query == found.version else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if is_small:
        headers["Content-Encoding"] = "gzip"
    return Response(found.compressed if is_small else found.content, headers=headers, media_type=found.type)
