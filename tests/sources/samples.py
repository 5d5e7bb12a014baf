"""Bodies as the real services send them, with papers of our own."""

from __future__ import annotations

import json
from html import escape
from typing import Any


def arxiv_item(id: str = "2512.01234", version: int = 1, announce: str = "new", **fields: str) -> str:
    said = {
        "title": "A Walking Robot That Plans",
        "abstract": "We plan where $a<b$ & walk.",
        "creator": r"Ada Lovelace (Univ. of A, Lab, B), J\'anos Bolyai, Emmy N\"other (C (D))",
        "categories": "cs.RO cs.LG",
        "date": "Mon, 01 Dec 2025 00:00:00 -0500",
    } | fields
    categories = "".join(f"<category>{term}</category>" for term in said["categories"].split(" "))
    described = f"arXiv:{id}v{version} Announce Type: {announce} \nAbstract: {said['abstract']}"
    return f"""<item>
      <title>{escape(said["title"])}</title>
      <link>https://arxiv.org/abs/{id}</link>
      <description>{escape(described)}</description>
      <guid isPermaLink="false">oai:arXiv.org:{id}v{version}</guid>
      {categories}
      <pubDate>{said["date"]}</pubDate>
      <arxiv:announce_type>{announce}</arxiv:announce_type>
      <dc:rights>http://creativecommons.org/licenses/by/4.0/</dc:rights>
      <dc:creator>{escape(said["creator"])}</dc:creator>
      {said.get("more", "")}
    </item>"""


def arxiv_rss(*items: str, title: str = "cs.RO updates on arXiv.org", built: str = "05:00:01") -> bytes:
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:atom="http://www.w3.org/2005/Atom" version="2.0">
  <channel>
    <title>{title}</title>
    <link>http://rss.arxiv.org/rss/cs.RO</link>
    <lastBuildDate>Mon, 01 Dec 2025 {built} +0000</lastBuildDate>
    <skipDays><day>Sunday</day><day>Saturday</day></skipDays>
    {"".join(items)}
  </channel>
</rss>""".encode()


def rss(*items: str, title: str = "A laboratory's notes") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>{title}</title><link>https://lab.example.org/</link>{"".join(items)}</channel></rss>""".encode()


def atom(*entries: str) -> bytes:
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://lab.example.org/notes/">
<title>Notes</title><id>tag:lab.example.org,2025:notes</id>{"".join(entries)}</feed>""".encode()


def paper(id: str = "2512.01234", **fields: Any) -> dict[str, Any]:
    """One item of Daily Papers; names that belong outside go there, a None leaves the field out."""
    outer = {"title": "A Walking Robot", "summary": "Short.", "thumbnail": "https://cdn.example.org/t.png"}
    outer |= {"publishedAt": "2025-12-02T00:00:00.000Z", "numComments": 2, "isAuthorParticipating": True}
    outer |= {"submittedBy": {"name": "sub", "fullname": "Sub Mitter"}}
    inner: dict[str, Any] = {
        "id": id,
        "title": "A Walking Robot That\n  Plans",
        "summary": "We plan and\nwalk.",
        "authors": [
            {"name": "Ada Lovelace", "hidden": False},
            {"name": "No Body", "hidden": True},
            {"name": "J Bolyai"},
        ],
        "publishedAt": "2025-11-30T18:59:00.000Z",
        "submittedOnDailyAt": "2025-12-02T00:00:00.000Z",
        "upvotes": 0,
        "discussionId": "abc123",
        "ai_summary": "A robot walks.",
        "ai_keywords": ["walking", "planning"],
        "projectPage": "https://walk.example.org/",
        "githubRepo": "https://github.com/example/walk",
        "githubStars": 31,
        "organization": {"name": "ex", "fullname": "Example Labs", "avatar": "https://cdn.example.org/a.png"},
    }
    for name, value in fields.items():
        (outer if name in outer else inner)[name] = value
    inner = {name: value for name, value in inner.items() if value is not None}
    return {name: value for name, value in outer.items() if value is not None} | {"paper": inner}


def papers(*items: object) -> bytes:
    return json.dumps(list(items)).encode()
