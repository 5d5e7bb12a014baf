"""A frame that is filled in says what the template says when it is rendered each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.model import Health
from notifier.render import Composer, Links
from tests.builders import rule
from tests.render.samples import DUE, NOW, digest, entry, found, german, subscription
from tests.render.test_followups import THREE
from tests.render.test_mail import WEB, health

MANY = [found(entry(number)) for number in range(1, 9)]
SHAPES = [
    digest(),
    digest(*MANY),
    replace(digest(*MANY[:3]), more=tuple(MANY[3:])),
    replace(digest(), items=()),
    replace(digest(), items=(), checked=0),
    digest(late=True, period_start=DUE - timedelta(days=4)),
    digest(follow_ups=THREE),
    digest(subscription=german()),
    digest(warnings=(rule("(", label="a % rule <b>", broken="it ends too early & more"),)),
    digest(sources=(health(Health.FAILING), health(Health.STALE), health(Health.GONE), health(Health.NOT_READ))),
]


def both(links: Links, one: object, empty: Path) -> tuple[bytes, bytes]:
    """Filled in, and by templates that are taken for an operator's and so are rendered each time."""
    filled, each_time = (Composer(links=links, overrides=overrides) for overrides in (None, empty))
    (first,), (second,) = (made.render(one, "email", now=NOW).parts for made in (filled, each_time))  # type: ignore[arg-type]
    return first, second


@pytest.mark.parametrize("number", range(len(SHAPES)))
@pytest.mark.parametrize("links", [Links(), WEB], ids=["commands", "pages"])
def test_every_shape_of_a_digest_is_filled_in_as_it_is_rendered(links: Links, number: int, tmp_path: Path) -> None:
    filled, each_time = both(links, SHAPES[number], tmp_path)
    assert filled == each_time


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(label=st.text(max_size=80), email=st.text("abc%{}<>&'\"", min_size=1, max_size=200), title=st.text(max_size=90))
def test_any_text_is_filled_in_as_it_is_rendered(tmp_path: Path, label: str, email: str, title: str) -> None:
    person = subscription(subscriber={"name": label, "language": "de"})
    one = digest(
        found(entry(title=title), label=label),
        subscription=person,
        warnings=(rule(email, label=label, broken=email),),
        more=(found(entry(2, title=title)),),
    )
    filled, each_time = both(Links(), one, tmp_path)
    assert filled == each_time
