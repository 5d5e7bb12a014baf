"""Papers for the pages, and what a page shows of them."""

from __future__ import annotations

import re
from datetime import timedelta

from notifier.collect import absorb
from tests.builders import NOW, sighting
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
