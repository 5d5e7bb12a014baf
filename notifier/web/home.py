"""The first page."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from notifier.web.base import Visitor, page

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(request: Request, visitor: Visitor) -> Response:
    return page(request, "web/home.html")
