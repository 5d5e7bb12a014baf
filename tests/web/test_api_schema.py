"""The OpenAPI document is true: whatever fits it, and whatever does not, is answered as it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from notifier import access
from notifier.app import App
from notifier.model import Scope
from notifier.settings import Settings
from notifier.web.api import create_api
from notifier.web.site import Site
from tests.web.conftest import SiteServer
from tests.web.test_api import ADA, furnished, subscription_of

EXAMPLES = 3


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteServer]:
    yield from furnished(tmp_path_factory.mktemp("schema"))


@pytest.fixture(scope="module")
def headers(library: SiteServer) -> dict[str, str]:
    with library.store() as store:
        _, text = access.make_token(store, "schemathesis", Scope, now=library.app.clock())
    return {"Authorization": f"Bearer {text}"}


# The same for every installation but for its address.
DOCUMENT: dict[str, Any] = create_api(Site(App(settings=Settings(data_dir=Path("unused"))))).openapi()
schema = schemathesis.openapi.from_dict(DOCUMENT)


@schemathesis.serializer("message/rfc822")
def _mail(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@schema.parametrize()
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_the_document_says(
    case: schemathesis.Case, library: SiteServer, headers: dict[str, str]
) -> None:
    # Most texts name no subscription: this one is there.
    if "/subscriptions/{id}" in case.path and (case.method, case.path) != ("DELETE", "/subscriptions/{id}"):
        case.path_parameters["id"] = subscription_of(library, ADA).id
    # What fits may still be refused for what it says: a rule does not parse, a time is past.
    excluded = [positive_data_acceptance]
    case.call_and_validate(excluded_checks=excluded, base_url=f"{library.url}/api/v1", headers=headers)


def test_every_operation_is_described_with_examples() -> None:
    operations = [each for methods in DOCUMENT["paths"].values() for each in methods.values()]
    assert [each["operationId"] for each in operations if not each.get("summary")] == []
    shapes = DOCUMENT["components"]["schemas"]
    bare = [
        name
        for name in (
            "EntryOut",
            "EntriesIn",
            "RuleIn",
            "RuleOut",
            "SubscriptionOut",
            "SubscriptionPatch",
            "DigestOut",
            "TopicOut",
            "TrialIn",
            "Problem",
        )
        if not (shapes[name].get("examples") or any("examples" in each for each in shapes[name]["properties"].values()))
    ]
    assert bare == []
