"""Logging in by an identity provider, and what it must not get away with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc.jwk import ECKey

from tests.servers.oidc import CLIENT, IdentityProvider
from tests.web.conftest import SiteServer


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider() as found:
        yield found


@pytest.fixture
def trusting(tmp_path: Path, provider: IdentityProvider) -> Iterator[SiteServer]:
    """A site that trusts that provider."""
    server = SiteServer(
        tmp_path / "data", oidc_issuer=provider.issuer, oidc_client_id=CLIENT[0], oidc_client_secret=CLIENT[1]
    )
    yield server
    server.close()


def came_back(client: httpx2.Client, next: str = "/account") -> dict[str, str]:
    """Go to the provider and back; what the page there would post."""
    there = client.get("/sso/login", params={"next": next}).headers["location"]
    back = httpx2.get(there, verify=False).headers["location"]
    page = client.get(back)
    assert page.status_code == 200 and "data-press" in page.text
    return dict(httpx2.URL(back).params)


def test_a_verified_address_is_logged_in_and_gets_an_account_where_there_was_none(trusting: SiteServer) -> None:
    client = trusting.client()
    assert "/sso/login" in client.get("/login").text
    answer = client.post("/sso/back", data=came_back(client))
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert "ada@example.org" in client.get("/account").text
    with trusting.store() as store:
        assert [each.name for each in store.subscribers.all()] == ["Ada"]


@pytest.mark.parametrize(
    "lie",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": None},
        {"nonce": "another"},
        {"aud": "somebody else"},
        {"iss": "https://evil.example"},
        {"exp": 1},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_login_is_refused(
    trusting: SiteServer, provider: IdentityProvider, lie: dict[str, Any]
) -> None:
    client = trusting.client()
    provider.claims |= lie
    answer = client.post("/sso/back", data=came_back(client))
    assert answer.status_code == 400 and "set-cookie" not in answer.headers
    with trusting.store() as store:
        assert store.subscribers.all() == []


def test_a_token_signed_by_another_key_is_refused(trusting: SiteServer, provider: IdentityProvider) -> None:
    provider.signed_with = ECKey.generate_key("P-256", {"kid": "one"})
    client = trusting.client()
    assert client.post("/sso/back", data=came_back(client)).status_code == 400


def test_a_login_that_another_browser_began_is_refused(trusting: SiteServer) -> None:
    mine, victim = trusting.client(), trusting.client()
    posted = came_back(mine)
    assert victim.post("/sso/back", data=posted).status_code == 400
    came_back(victim)
    assert victim.post("/sso/back", data=posted).status_code == 400


def test_a_code_works_once_and_not_for_ever(trusting: SiteServer) -> None:
    client = trusting.client()
    posted = came_back(client)
    assert client.post("/sso/back", data=posted).status_code == 303
    assert client.post("/sso/back", data=posted).status_code == 400
    late = trusting.client()
    posted = came_back(late)
    trusting.move(timedelta(minutes=16))
    assert late.post("/sso/back", data=posted).status_code == 400


def test_a_discovery_document_of_another_issuer_is_refused(trusting: SiteServer, provider: IdentityProvider) -> None:
    provider.document = {"issuer": "https://evil.example"}
    assert trusting.client().get("/sso/login").status_code == 400


def test_keys_that_the_provider_changed_are_read_again(trusting: SiteServer, provider: IdentityProvider) -> None:
    client = trusting.client()
    assert client.post("/sso/back", data=came_back(client)).status_code == 303
    provider.renew_key()
    assert client.post("/sso/back", data=came_back(client)).status_code == 303


def test_without_a_provider_there_is_no_such_login(site: SiteServer) -> None:
    assert site.client().get("/sso/login").status_code == 404
    assert "/sso/login" not in site.client().get("/login").text
