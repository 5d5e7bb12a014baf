"""What an identity provider says of somebody: OpenID Connect, authorization code with PKCE, nonce and state.

Its addresses come from its discovery document; an ID token counts only with a signature of its keys, for us, in time,
with our nonce, and with a mail address that it has verified.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import SecretStr

from notifier.errors import UsageError
from notifier.render import message
from notifier.tokens import Keys, fresh, sign, signed

_PURPOSE = "oidc"
# Those with a public key: with a shared secret, whoever knows ours could sign.
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
_TIMEOUT = 10.0
_LEEWAY = 60
_KEPT = timedelta(hours=1)
ATTEMPT_FOR = timedelta(minutes=15)

_AWAY = message("The identity provider does not answer as it should. Try again later, or log in by a mailed link.")
REFUSED = message("The identity provider did not let that through. Log in again, or by a mailed link.")
_STALE = message("That login was begun elsewhere or too long ago: begin again.")
_UNVERIFIED = message("The identity provider has not verified a mail address for this account: it cannot be used here.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A login that was begun: what has to come back, and where to go on. Lives in a signed cookie."""

    state: str
    nonce: str
    verifier: str
    next: str
    until: float

    def sealed(self, keys: Keys) -> str:
        text = base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()
        return sign(keys, _PURPOSE, text)


def unsealed(keys: Keys, text: str, *, now: datetime) -> Attempt:
    """Raises UsageError for one that is not ours or too old."""
    found = signed(keys, _PURPOSE, text)
    try:
        attempt = Attempt(**json.loads(base64.urlsafe_b64decode(found))) if found else None
    except (ValueError, TypeError, binascii.Error):
        attempt = None
    if attempt is None or attempt.until < now.timestamp():
        raise UsageError(_STALE)
    return attempt


class Provider:
    """One issuer, as the operator set it."""

    def __init__(self, issuer: str, client_id: str, client_secret: SecretStr, *, callback: str) -> None:
        self._issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._secret = client_secret
        self._callback = callback
        self._metadata: tuple[datetime, Mapping[str, Any]] | None = None
        self._keys: tuple[datetime, KeySet] | None = None

    async def begin(self, next: str, *, now: datetime) -> tuple[str, Attempt]:
        """The address to send the browser to."""
        attempt = Attempt(
            state=fresh(), nonce=fresh(), verifier=fresh(), next=next, until=(now + ATTEMPT_FOR).timestamp()
        )
        metadata = await self._discovered(now)
        async with self._client() as client:
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=attempt.state,
                nonce=attempt.nonce,
                code_challenge=create_s256_code_challenge(attempt.verifier),
                code_challenge_method="S256",
            )
        return url, attempt

    async def address(self, code: str, attempt: Attempt, *, now: datetime) -> tuple[str, str]:
        """The verified mail address behind ``code``, and the person's name. Raises UsageError."""
        metadata = await self._discovered(now)
        try:
            async with self._client() as client:
                token = await client.fetch_token(
                    metadata["token_endpoint"],
                    code=code,
                    code_verifier=attempt.verifier,
                    grant_type="authorization_code",
                )
        except AuthlibBaseError as error:
            raise UsageError(REFUSED) from error
        except (httpx2.HTTPError, ValueError) as error:
            raise UsageError(_AWAY) from error
        claims = await self._claims(str(token.get("id_token", "")), attempt, now=now)
        email = claims.get("email")
        if not isinstance(email, str) or claims.get("email_verified") is not True:
            raise UsageError(_UNVERIFIED)
        return email, str(claims.get("name") or "")

    async def _claims(self, id_token: str, attempt: Attempt, *, now: datetime) -> Mapping[str, Any]:
        try:
            decoded = jwt.decode(id_token, await self._key_set(id_token, now), algorithms=_ALGORITHMS)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {"iss": {"value": self._discovered_issuer}, "aud": {"value": self._client_id}},
                {"nonce": attempt.nonce, "client_id": self._client_id},
            )
            claims.validate(now=int(now.timestamp()), leeway=_LEEWAY)
        except (JoseError, AuthlibBaseError, ValueError) as error:
            raise UsageError(REFUSED) from error
        return decoded.claims

    @property
    def _discovered_issuer(self) -> str:
        assert self._metadata is not None  # noqa: S101 - there is no code without discovery
        return str(self._metadata[1]["issuer"])

    async def _discovered(self, now: datetime) -> Mapping[str, Any]:
        if self._metadata is None or now - self._metadata[0] > _KEPT:
            found = await self._read(f"{self._issuer}/.well-known/openid-configuration")
            named = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"}
            # Another issuer's document would make its users ours (OpenID Connect Discovery 4.3).
            if not named <= found.keys() or str(found["issuer"]).rstrip("/") != self._issuer:
                raise UsageError(_AWAY)
            self._metadata = (now, found)
        return self._metadata[1]

    async def _key_set(self, id_token: str, now: datetime) -> KeySet:
        """Its keys; read again for a token of one that is not among them."""
        kid = _key_id(id_token)
        known = self._keys
        if known is None or now - known[0] > _KEPT or (kid and kid not in {key.kid for key in known[1].keys}):
            metadata = await self._discovered(now)
            self._keys = known = (now, KeySet.import_key_set(await self._read(metadata["jwks_uri"])))  # type: ignore[arg-type]
        return known[1]

    async def _read(self, url: str) -> dict[str, Any]:
        try:
            async with httpx2.AsyncClient(timeout=_TIMEOUT, trust_env=False) as client:
                answer = await client.get(url)
            answer.raise_for_status()
            found = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise UsageError(_AWAY) from error
        if not isinstance(found, dict):
            raise UsageError(_AWAY)
        return found

    def _client(self) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=self._client_id,
            client_secret=self._secret.get_secret_value(),
            scope="openid email profile",
            redirect_uri=self._callback,
            timeout=_TIMEOUT,
            trust_env=False,
        )


def _key_id(id_token: str) -> str | None:
    head = id_token.partition(".")[0]
    try:
        found = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error):
        return None
    return str(found["kid"]) if isinstance(found, dict) and "kid" in found else None
