"""A server that speaks the API of bioRxiv and medRxiv: rows by day, in pages."""

from __future__ import annotations

import json
from typing import Any

from tests.servers.web import Answer, Request, WebServer


def row(number: int = 1, *, version: int = 1, day: str = "2025-12-01", **fields: Any) -> dict[str, Any]:
    said = {
        "title": "Cells &amp; <i>walking</i> robots",
        "authors": "Lovelace, A.; Bolyai, J.",
        "author_corresponding": "Ada Lovelace",
        "author_corresponding_institution": "Univ. of A",
        "doi": f"10.1101/2025.11.30.{number:06}",
        "date": day,
        "version": str(version),
        "type": "new results",
        "license": "cc_by",
        "category": "Neuroscience",
        "jatsxml": "https://www.biorxiv.org/content/x.source.xml",
        "abstract": "<jats:title>Abstract</jats:title><jats:p>Cells walk.</jats:p><jats:p>p &lt; 0.05.</jats:p>",
        "published": "NA",
        "server": "bioRxiv",
    }
    return said | fields


class RxivServer(WebServer):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, Any]] = []
        self.page_size = 30
        self.tells_total = True
        self.refusals = 0
        self.page: bytes | None = None

    @property
    def mirror(self) -> str:
        return self.url("").rstrip("/")

    def handle(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.refusals:
            self.refusals -= 1
            return Answer(status=429)
        if self.page is not None:
            return Answer(body=self.page)
        _, _, server, first, last, cursor, _ = request.path.split("/")
        found = [each for each in self.rows if first <= each["date"] <= last]
        page = found[int(cursor) : int(cursor) + self.page_size]
        if not page:
            return Answer(body=json.dumps({"messages": [{"status": "no posts found"}], "collection": []}).encode())
        message: dict[str, Any] = {"status": "ok", "cursor": cursor, "count": len(page), "server": server}
        if self.tells_total:
            message["total"] = str(len(found))
        return Answer(body=json.dumps({"messages": [message], "collection": page}).encode())
