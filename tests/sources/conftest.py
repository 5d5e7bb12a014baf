import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from notifier.sources import Http
from tests.fake_time import FakeTime
from tests.servers.arxiv import ArxivServer
from tests.servers.web import WebServer

AUTHORITIES = ssl.create_default_context()


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture
def arxiv() -> Iterator[ArxivServer]:
    with ArxivServer() as server:
        yield server


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def http(time: FakeTime) -> AsyncIterator[Http]:
    """A client that may read from loopback, where the server of these tests is."""
    async with Http(
        contact="ops@example.org",
        timeout=timedelta(seconds=5),
        allow_networks=["127.0.0.0/8"],
        paces=time.paces(),
        turns=time.turns(),
        ssl_context=AUTHORITIES,
    ) as client:
        yield client
