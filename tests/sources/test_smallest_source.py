"""The README's example of a new kind of source, as it stands there."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from notifier.errors import SourceError
from notifier.model import SourceState
from notifier.sources import Http
from tests.servers.web import Answer, WebServer

NOW = datetime(2025, 12, 2, 9, tzinfo=UTC)
README = Path(__file__).parent.parent.parent / "README.md"


@pytest.fixture
def lab() -> dict[str, Any]:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    module: dict[str, Any] = {}
    exec(code, module)  # noqa: S102 - our own example
    return module


async def test_it_reads_papers_and_says_when_nothing_has_changed(
    lab: dict[str, Any], web: WebServer, http: Http
) -> None:
    body = b'[{"title": "A <b>Walking</b> Robot", "url": "https://arxiv.org/abs/2512.00001v2"}]'
    web.answer("/papers.json", Answer(body=body, headers={"ETag": '"1"'}), Answer(status=304))
    url = web.url("/papers.json")
    assert lab["KIND"].claims(url)
    source = lab["KIND"].open(url, http=http, name="lab")
    fetched = await source.fetch(SourceState(), now=NOW)
    assert [(each.keys[0], each.entry.version) for each in fetched.sightings] == [("arxiv:2512.00001", 2)]
    assert (await source.fetch(fetched.state, now=NOW)).unchanged


async def test_what_lists_no_papers_is_a_failure(lab: dict[str, Any], web: WebServer, http: Http) -> None:
    web.answer("/papers.json", body=b'{"papers": []}x')
    with pytest.raises(SourceError, match="does not list papers"):
        await lab["KIND"].open(web.url("/papers.json"), http=http, name="lab").fetch(SourceState(), now=NOW)
