"""The token itself."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from notifier.web.api.caller import AnyCaller

router = APIRouter(tags=["token"])


class TokenOut(BaseModel):
    """The token that was sent."""

    id: str
    name: str
    scopes: list[str]
    of: str | None = Field(description="Whose subscriptions it opens; null for everybody's.")
    expires_at: datetime | None


@router.get("/token", summary="The token that is sent")
async def get_token(caller: AnyCaller) -> TokenOut:
    token = caller.token
    return TokenOut(
        id=token.id,
        name=token.name,
        scopes=sorted(token.scopes),
        of=token.owner or None,
        expires_at=token.expires_at,
    )
