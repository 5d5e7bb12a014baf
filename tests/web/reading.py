"""Papers for the pages, and what a page shows of them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from notifier.collect import absorb
from notifier.edit import Author, add_rule
from notifier.model import DeliveryItem, Reason, Rule
from tests.builders import NOW, planned, sighting, subscription
from tests.web.conftest import SiteServer

DAY = timedelta(days=1)


def bring(site: SiteServer, *titles: str, days: int = 0, first: int = 1, **fields: object) -> None:
    """Papers that a feed brought so many days ago, numbered from ``first`` on."""
    shown = [sighting(number, title=title, **fields) for number, title in enumerate(titles, first)]
    with site.store() as store:
        absorb(store, shown, source="feed", baseline=False, now=NOW - days * DAY)


def shown(page: str) -> list[str]:
    """The titles of the papers on a page."""
    return [re.sub("<[^>]+>", "", each) for each in re.findall(r"<h[23] class=.title.*?</h[23]>", page)]


def subscribed(site: SiteServer, *queries: str, email: str = "ada@example.org", id: str = "s_ada") -> list[Rule]:
    """A subscription of that person, with a rule for each query."""
    person = site.person(email)
    with site.store() as store, store.write():
        store.subscriptions.put(subscription(id, person))
    author = Author(name=email, via="web")
    with site.store() as store:
        return [add_rule(store, site.app.topics, id, query, author=author, now=NOW) for query in queries]


def rules_of(site: SiteServer, id: str = "s_ada") -> list[Rule]:
    with site.store() as store:
        return store.rules.of([id]).get(id, [])


def delivered(site: SiteServer, *rules: Rule, papers: int = 1) -> str:
    """The id of a digest of the first papers, which these rules brought."""
    reasons = tuple(Reason(rule_id=each.id, label=each.label, query=each.query) for each in rules)
    made = planned("d_one", rules[0].subscription_id)
    items = tuple(
        DeliveryItem(entry_id=f"arxiv:2512.{number:05}", rank=number - 1, shown=number == 1, reasons=reasons)
        for number in range(1, papers + 1)
    )
    with site.store() as store, store.write():
        store.deliveries.record([replace(made, items=items)])
    return "d_one"
