"""An identity provider on loopback that speaks OpenID Connect: discovery, code with PKCE, signed ID tokens.

    with IdentityProvider() as provider:
        provider.claims["email"] = "ada@example.org"
        ...

It lets everybody in as the person in ``claims``, which may also lie about the rest of an ID token; ``document`` does
so about discovery.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import Any, Self
from urllib.parse import parse_qs, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey

from tests.servers.web import Answer, Request, WebServer

CLIENT = ("notifier", "client secret")


class IdentityProvider:
    def __init__(self) -> None:
        self._web = WebServer()
        self.key = ECKey.generate_key("P-256", {"kid": "one"})
        self.signed_with = self.key
        self.claims: dict[str, Any] = {"email": "ada@example.org", "email_verified": True, "name": "Ada"}
        self.document: dict[str, str] = {}
        self._asked: dict[str, dict[str, str]] = {}

    @property
    def issuer(self) -> str:
        return self._web.url("")

    def renew_key(self) -> None:
        self.key = self.signed_with = ECKey.generate_key("P-256", {"kid": "two"})

    def __enter__(self) -> Self:
        self._web.__enter__()
        self._web.answer("/.well-known/openid-configuration", self._discovery)
        self._web.answer("/authorize", self._authorize)
        self._web.answer("/token", self._token)
        self._web.answer("/keys", lambda _: _json({"keys": [self.key.as_dict(private=False)]}))
        return self

    def __exit__(self, *error: object) -> None:
        self._web.__exit__(*error)

    def _discovery(self, _: Request) -> Answer:
        return _json(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                **self.document,
            }
        )

    def _authorize(self, request: Request) -> Answer:
        asked = dict(request.query)
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self._asked[code] = asked
        query = urlencode({"code": code, "state": asked["state"]})
        return Answer(status=302, headers={"Location": f"{asked['redirect_uri']}?{query}"})

    def _token(self, request: Request) -> Answer:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        basic = base64.b64encode(":".join(CLIENT).encode()).decode()
        asked = self._asked.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        is_right = (
            asked is not None
            and request.headers.get("authorization") == f"Basic {basic}"
            and challenge.decode() == asked["code_challenge"]
            and form["redirect_uri"] == asked["redirect_uri"]
        )
        if asked is None or not is_right:
            return _json({"error": "invalid_grant"}, status=400)
        return _json({"access_token": "a", "token_type": "Bearer", "id_token": self._id_token(asked["nonce"])})

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "1", "aud": CLIENT[0], "iat": now, "exp": now + 300, "nonce": nonce}
        header = {"alg": "ES256", "kid": self.key.kid}
        return jwt.encode(header, claims | self.claims, self.signed_with)


def _json(data: object, status: int = 200) -> Answer:
    return Answer(status=status, headers={"Content-Type": "application/json"}, body=json.dumps(data).encode())
