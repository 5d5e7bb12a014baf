import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from notifier.sources import Http, Turns
from tests.servers.web import WebServer

AUTHORITIES = ssl.create_default_context()


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """A client that may read from loopback, where the server of these tests is."""
    async with Http(
        contact="ops@example.org",
        timeout=timedelta(seconds=5),
        allow_networks=["127.0.0.0/8"],
        turns=Turns(timedelta(0)),
        ssl_context=AUTHORITIES,
    ) as client:
        yield client
