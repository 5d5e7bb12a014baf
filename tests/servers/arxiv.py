"""A server that speaks arXiv's three services about papers of our own: feeds, query API, OAI-PMH."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from tests.servers.web import Answer, Request, WebServer
from tests.sources.samples import arxiv_item, arxiv_rss

KNOWN = frozenset("cs cs.AI cs.CL cs.LG cs.RO math math.AG hep-th stat.ML".split())  # noqa: SIM905
CAP = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    id: str
    created: datetime = datetime(2025, 12, 1, 15, tzinfo=UTC)
    categories: str = "cs.CL"
    version: int = 1
    updated: datetime | None = None
    """When its latest version was made."""
    changed: datetime | None = None
    """When anything about it was changed last."""
    title: str = "A Walking Robot\n  That Plans"
    doi: str = ""
    abstract: str = "We plan where $a<b$\nand walk & talk."

    @property
    def touched(self) -> datetime:
        return self.changed or self.updated or self.created

    def is_in(self, category: str) -> bool:
        return any(each == category or each.startswith(f"{category}.") for each in self.categories.split())


class ArxivServer(WebServer):
    """``shown`` is in the feeds, ``archive`` behind API and OAI. Counts how many requests ran at once."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Paper] = []
        self.archive: list[Paper] = []
        self.refusals = 0
        """So many requests are answered with a 429, without Retry-After."""
        self.empty_pages = 0
        self.is_cut = False
        self.etag = ""
        """Of the feeds. Empty: another with each answer, as their build times change."""
        self.page: bytes | None = None
        """Stands in for every answer, with status 200."""
        self.stale_tokens = 0
        self.oai_page = 2
        self.most_at_once = 0
        self._running = 0
        self._counting = threading.Lock()

    @property
    def mirror(self) -> str:
        return self.url("").rstrip("/")

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def handle(self, request: Request) -> Answer:
        with self._counting:
            self.requests.append(request)
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        try:
            return self._answered(request)
        finally:
            with self._counting:
                self._running -= 1

    def _answered(self, request: Request) -> Answer:
        if self.refusals:
            self.refusals -= 1
            return Answer(status=429, body=b"Rate exceeded.")
        if self.page is not None:
            return Answer(body=self.page)
        if request.path.startswith("/rss/"):
            if self.etag and request.headers.get("if-none-match") == self.etag:
                return Answer(status=304)
            return self._feed(request.path.removeprefix("/rss/").split("+"))
        if request.path == "/api/query":
            return self._query(request)
        if request.path == "/oai":
            return self._records(request)
        return Answer(status=404)

    def _feed(self, categories: list[str]) -> Answer:
        if bad := [name for name in categories if name not in KNOWN]:
            body = arxiv_rss(title=escape(f"Feed error for query: {'+'.join(categories)}"))
            said = f"<description>{escape(_complaint(bad[0]))}</description><link>"
            body = body.replace(b"<link>", said.encode(), 1)
            return Answer(status=400, body=body)
        items = [
            arxiv_item(each.id, each.version, self._announce(each, categories), categories=each.categories)
            for each in self.shown
            if any(map(each.is_in, categories))
        ]
        body = arxiv_rss(*items[:CAP])
        body = body[: -len(body) // 3] if self.is_cut else body
        return Answer(body=body, headers={"ETag": self.etag or f'"{len(self.requests)}"'})

    @staticmethod
    def _announce(paper: Paper, categories: list[str]) -> str:
        primary = paper.categories.split()[0]
        is_new = primary in categories or primary.split(".")[0] in categories
        if paper.version > 1:
            return "replace" if is_new else "replace-cross"
        return "new" if is_new else "cross"

    def _query(self, request: Request) -> Answer:
        query = request.query
        if ids := query.get("id_list"):
            found = [each for each in self.archive if each.id in ids.split(",")]
        else:
            asked = [name.removesuffix(".*") for name in re.findall(r"cat:([\w.*-]+)", query["search_query"])]
            first, last = re.search(r"submittedDate:\[(\d{12}) TO (\d{12})\]", query["search_query"]).groups()  # type: ignore[union-attr]
            found = [
                each
                for each in sorted(self.archive, key=lambda each: each.created)
                if any(map(each.is_in, asked)) and first <= f"{each.created:%Y%m%d%H%M}" <= last
            ]
        start = int(query.get("start", 0))
        page = found[start : start + int(query["max_results"])]
        if page and self.empty_pages:
            self.empty_pages -= 1
            page = []
        return Answer(body=atom(*map(api_entry, page), total=len(found)))

    def _records(self, request: Request) -> Answer:
        query = request.query
        if token := query.get("resumptionToken"):
            if self.stale_tokens:
                self.stale_tokens -= 1
                return Answer(status=422, body=oai('<error code="badResumptionToken">expired</error>'))
            name, since, start = token.split("!")
        else:
            name, since, start = query["set"], query["from"], "0"
        category = ".".join(name.split(":")[1:])
        found = [each for each in self.archive if each.is_in(category) and f"{each.touched:%Y-%m-%d}" >= since]
        if not found:
            return Answer(body=oai('<error code="noRecordsMatch">nothing</error>'))
        end = int(start) + self.oai_page
        more = f"{name}!{since}!{end}" if end < len(found) else ""
        records = "".join(map(oai_record, found[int(start) : end]))
        return Answer(body=oai(f"<ListRecords>{records}<resumptionToken>{more}</resumptionToken></ListRecords>"))


def _complaint(category: str) -> str:
    archive, _, name = category.partition(".")
    if archive not in {each.split(".")[0] for each in KNOWN}:
        return f"Bad archive '{archive}'. Valid archives are: cs, math."
    return f"Bad subject class '{name}'. Valid subject classes for the archive '{archive}' are: AI."


def atom(*entries: str, total: int) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">
<title>arXiv Query</title>
<opensearch:totalResults>{total}</opensearch:totalResults>{"".join(entries)}</feed>""".encode()


def api_entry(paper: Paper) -> str:
    primary, *_ = paper.categories.split()
    terms = "".join(
        f'<category term="{each}" scheme="http://arxiv.org/schemas/atom"/>' for each in paper.categories.split()
    )
    return f"""<entry xmlns:arxiv="http://arxiv.org/schemas/atom"><id>http://arxiv.org/abs/{paper.id}v{paper.version}</id>
<title>{escape(paper.title)}</title><summary>{escape(paper.abstract)}</summary>
<published>{paper.created:%Y-%m-%dT%H:%M:%SZ}</published><updated>{paper.touched:%Y-%m-%dT%H:%M:%SZ}</updated>
<author><name>Ada Lovelace</name><arxiv:affiliation>Univ. of A, Lab</arxiv:affiliation></author>
<author><name>J\\'anos Bolyai</name></author>
{terms}<category term="68T50, 05C15"/><category term="I.2.7"/><arxiv:primary_category term="{primary}"/>
<arxiv:comment>12 pages,
 3 figures</arxiv:comment>{f"<arxiv:doi>{paper.doi}</arxiv:doi>" if paper.doi else ""}<link href="http://arxiv.org/abs/{paper.id}"/></entry>"""


def oai(inside: str) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>2025-12-05T00:00:00Z</responseDate>{inside}</OAI-PMH>""".encode()


def oai_record(paper: Paper) -> str:
    updated = f"<updated>{paper.updated:%Y-%m-%d}</updated>" if paper.updated else ""
    return f"""<record>
<header><identifier>oai:arXiv.org:{paper.id}</identifier><datestamp>{paper.touched:%Y-%m-%d}</datestamp></header>
<metadata><arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>{paper.id}</id><created>{paper.created:%Y-%m-%d}</created>{updated}
<authors><author><keyname>Lovelace</keyname><forenames>Ada</forenames><affiliation>Univ. of A</affiliation></author>
<author><keyname>Bolyai</keyname><forenames>J\\'anos</forenames><suffix>Jr</suffix></author></authors>
<title>{escape(paper.title)}</title><categories>{paper.categories}</categories><comments>12 pages</comments>
<abstract>  {escape(paper.abstract)}
</abstract></arXiv></metadata></record>"""
