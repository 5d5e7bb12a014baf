"""The client: what it says of itself, what it refuses, and that nothing makes it wait or swell for ever."""

import gzip
import ssl
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import islice
from pathlib import Path

import pytest

from notifier import __version__
from notifier.errors import SettingsError, SourceError
from notifier.network import Resolve, is_permitted
from notifier.network import resolve as system_resolve
from notifier.sources.http import Http, user_agent
from notifier.sources.turns import Turns
from tests.servers.web import Answer, WebServer, drip, endless, make_certificate

MEBIBYTE = 1024 * 1024
# Loading the authorities takes longer than most of these tests.
AUTHORITIES = ssl.create_default_context()


def client(
    *,
    seconds: float = 5,
    silence: float = 5,
    max_bytes: int = MEBIBYTE,
    allow: Sequence[str] = ("127.0.0.0/8",),
    resolve: Resolve = system_resolve,
    ssl_context: ssl.SSLContext = AUTHORITIES,
) -> Http:
    return Http(
        timeout=timedelta(seconds=seconds),
        silence=timedelta(seconds=silence),
        max_bytes=max_bytes,
        allow_networks=allow,
        turns=Turns(timedelta(0)),
        resolve=resolve,
        ssl_context=ssl_context,
    )


def resolver(*answers: Sequence[str]) -> Resolve:
    """Each call gives the next answer; the last stays."""
    waiting = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    return resolve


async def failure_of(http: Http, url: str, **how: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await http.get(url, **how)  # type: ignore[arg-type]
    return caught.value


async def test_it_names_the_program_and_the_operator(web: WebServer, http: Http) -> None:
    web.answer("/", body=b"hello")
    assert (await http.get(web.url())).body == b"hello"
    assert web.requests[0].headers["user-agent"] == f"Notifier/{__version__} (+ops@example.org)"


def test_a_contact_cannot_smuggle_a_header() -> None:
    assert "\n" not in user_agent("a@b.org\r\nX-Evil: 1")
    assert user_agent("") == f"Notifier/{__version__}"


async def test_a_conditional_request_carries_what_the_server_gave(web: WebServer, http: Http) -> None:
    web.answer("/", status=304)
    reply = await http.get(web.url(), etag='"1"', last_modified="Mon, 01 Dec 2025 00:00:00 GMT")
    assert reply.is_not_modified
    assert web.requests[0].headers["if-none-match"] == '"1"'
    assert web.requests[0].headers["if-modified-since"] == "Mon, 01 Dec 2025 00:00:00 GMT"


async def test_a_304_that_nobody_asked_for_is_a_failure(web: WebServer, http: Http) -> None:
    web.answer("/", status=304)
    assert "304" in str(await failure_of(http, web.url()))


async def test_gzip_is_read_also_in_several_members(web: WebServer, http: Http) -> None:
    web.answer("/", headers={"Content-Encoding": "gzip"}, body=gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0")
    assert (await http.get(web.url())).body == b"one two"


async def test_a_gzip_bomb_is_stopped_at_the_limit(web: WebServer) -> None:
    web.answer("/", headers={"Content-Encoding": "gzip"}, body=gzip.compress(bytes(64 * MEBIBYTE)))
    async with client() as http:
        assert "sent more than 1,048,576 bytes" in str(await failure_of(http, web.url()))


async def test_gzip_in_gzip_is_refused(web: WebServer, http: Http) -> None:
    web.answer("/", headers={"Content-Encoding": "gzip, gzip"}, body=gzip.compress(gzip.compress(b"x")))
    assert "encoding nobody asked for (gzip, gzip)" in str(await failure_of(http, web.url()))


async def test_a_thousand_tiny_gzip_members_are_refused(web: WebServer, http: Http) -> None:
    web.answer("/", headers={"Content-Encoding": "gzip"}, body=gzip.compress(b"") * 1000)
    assert "damaged answer (gzip)" in str(await failure_of(http, web.url()))


@pytest.mark.parametrize(
    "body",
    [b"no gzip at all", gzip.compress(b"x" * 5000, mtime=0)[:-20], zlib.compress(b"x")],
    ids=["text", "cut", "zlib"],
)
async def test_broken_gzip_is_a_failure(web: WebServer, http: Http, body: bytes) -> None:
    web.answer("/", headers={"Content-Encoding": "gzip"}, body=body)
    assert "127.0.0.1" in str(await failure_of(http, web.url()))


async def test_an_endless_body_is_stopped_at_the_limit(web: WebServer) -> None:
    web.answer("/", body=endless())
    async with client() as http:
        assert "sent more than" in str(await failure_of(http, web.url()))


async def test_a_body_of_exactly_the_limit_is_read(web: WebServer) -> None:
    web.answer("/plain", body=bytes(MEBIBYTE))
    web.answer("/gzip", headers={"Content-Encoding": "gzip"}, body=gzip.compress(bytes(MEBIBYTE)))
    async with client() as http:
        assert len((await http.get(web.url("/plain"))).body) == MEBIBYTE
        assert len((await http.get(web.url("/gzip"))).body) == MEBIBYTE


async def test_one_byte_at_a_time_ends_at_the_total_deadline(web: WebServer) -> None:
    web.answer("/", body=drip(b"x", every=0.02))
    async with client(seconds=0.3) as http:
        assert "did not finish its answer within 0.3 s" in str(await failure_of(http, web.url()))


async def test_a_body_shorter_than_announced_is_a_failure(web: WebServer, http: Http) -> None:
    web.answer("/", headers={"Content-Length": "100"}, body=b"short")
    assert "could not be read" in str(await failure_of(http, web.url()))


async def test_five_redirects_are_followed_and_six_are_not(web: WebServer, http: Http) -> None:
    for n in range(6):
        web.redirect(f"/{n}", f"/{n + 1}")
    web.answer("/6", body=b"there")
    assert (await http.get(web.url("/1"))).url == web.url("/6")
    assert "more than 5 times" in str(await failure_of(http, web.url("/0")))


async def test_only_redirects_that_all_last_move_the_source(web: WebServer, http: Http) -> None:
    web.redirect("/a", "/b", status=301)
    web.redirect("/b", "/c", status=308)
    web.redirect("/x", "/b", status=302)
    web.answer("/c", body=b"here")
    assert (await http.get(web.url("/a"))).moved_to == web.url("/c")
    assert (await http.get(web.url("/x"))).moved_to is None
    assert (await http.get(web.url("/c"))).moved_to is None


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/", "http://user:secret@127.0.0.1/", "//"])
async def test_a_redirect_to_anything_but_a_plain_web_address_is_refused(
    web: WebServer, http: Http, target: str
) -> None:
    web.redirect("/", target)
    sentence = str(await failure_of(http, web.url()))
    assert "secret" not in sentence
    assert len(web.requests) == 1 or target == "//"


async def test_a_redirect_to_a_private_address_is_refused(web: WebServer) -> None:
    web.redirect("/", "http://169.254.169.254/latest/meta-data/")
    async with client(allow=["127.0.0.1/32"]) as http:
        assert "169.254.169.254, which is not a public address" in str(await failure_of(http, web.url()))


FORBIDDEN_URLS = """
http://127.0.0.1/ http://127.1/ http://127.0.1/ http://2130706433/ http://0x7f000001/ http://0x7f.1/
http://0177.0.0.1/ http://017700000001/ http://127.0.0.1./ http://localhost/ http://LOCALHOST/ http://localhost./
http://0/ http://0.0.0.0/ http://00000.0.0.0/ http://127.255.255.254/ http://10.0.0.1/ http://10.1/ http://0xa.0.0.1/
http://167772161/ http://172.16.0.1/ http://172.31.255.255/ http://192.168.0.1/ http://192.168.257/ http://3232235777/
http://0xc0a80101/ http://169.254.169.254/ http://0xa9fea9fe/ http://2852039166/ http://169.254.43518/
http://100.64.0.1/ http://100.100.100.200/ http://192.0.0.192/ http://168.63.129.16/ http://198.18.0.1/
http://192.0.2.1/ http://198.51.100.1/ http://203.0.113.1/ http://224.0.0.1/ http://239.255.255.255/ http://240.0.0.1/
http://255.255.255.255/ http://[::]/ http://[::1]/ http://[0:0:0:0:0:0:0:1]/ http://[::ffff:127.0.0.1]/
http://[::ffff:7f00:1]/ http://[0:0:0:0:0:ffff:a9fe:a9fe]/ http://[::127.0.0.1]/ http://[fe80::1]/ http://[febf::1]/
http://[fc00::1]/ http://[fd00:ec2::254]/ http://[fec0::1]/ http://[ff02::1]/ http://[64:ff9b::7f00:1]/
http://[64:ff9b::a00:1]/ http://[64:ff9b:1::a00:1]/ http://[2002:7f00:1::]/ http://[2002:c0a8:101::1]/
http://[2001:0:0:0:0:0:80ff:fffe]/ http://[2001:db8::1]/ http://[100::1]/ http://[3fff::1]/ http://１２７.0.0.1/
http://127。0。0。1/ http://①②⑦.0.0.1/ http://ⓛocalhost/ http://user@127.0.0.1/ http://%31%32%37.0.0.1/
http://127.0.0.1%2f/ http://[::1%25lo]/ http://127.0.0.1\\@example.org/ file:///etc/passwd gopher://127.0.0.1/
""".split()  # noqa: SIM905


@pytest.mark.parametrize("url", FORBIDDEN_URLS)
async def test_an_address_inside_is_refused_in_every_spelling(url: str) -> None:
    """Refused for what it is, where it parses; never because a connection failed."""
    async with client(allow=[], seconds=2) as http:
        sentence = str(await failure_of(http, url))
    assert any(said in sentence for said in ("not a public address", "is no address", "no host"))


async def test_an_allowed_network_is_read_but_no_other(web: WebServer) -> None:
    web.answer("/", body=b"inside")
    async with client(allow=["127.0.0.1/32"]) as http:
        assert (await http.get(web.url())).body == b"inside"
        assert "not a public address" in str(await failure_of(http, "http://127.0.0.2/"))


async def test_a_name_that_resolves_inside_the_second_time_is_refused_then(web: WebServer) -> None:
    web.answer("/", Answer(body=b"first", headers={"Connection": "close"}), Answer(body=b"second"))
    async with client(allow=["127.0.0.1/32"], resolve=resolver(["127.0.0.1"], ["127.0.0.2"])) as http:
        assert (await http.get(web.url(host="feeds.test"))).body == b"first"
        assert "feeds.test is at 127.0.0.2" in str(await failure_of(http, web.url(host="feeds.test")))


async def test_of_several_addresses_only_permitted_ones_are_tried(web: WebServer) -> None:
    web.answer("/", body=b"x")
    async with client(allow=["127.0.0.1/32"], resolve=resolver(["10.0.0.1", "127.0.0.1"])) as http:
        assert (await http.get(web.url(host="feeds.test"))).body == b"x"
    assert web.requests[0].headers["host"] == f"feeds.test:{web.port}"


async def test_a_name_that_does_not_exist_is_said_so(http: Http) -> None:
    assert "no host nowhere.invalid" in str(await failure_of(http, "http://nowhere.invalid/"))


async def test_tls_is_checked_against_the_name_and_not_the_address(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "feeds.test")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with WebServer(server) as web:
        web.answer("/", body=b"private words")
        async with client(resolve=resolver(["127.0.0.1"]), ssl_context=trusting) as http:
            assert (await http.get(web.url(host="feeds.test"))).body == b"private words"
            assert "certificate" in str(await failure_of(http, web.url(host="other.test")))
        async with client(resolve=resolver(["127.0.0.1"])) as http:
            assert "certificate" in str(await failure_of(http, web.url(host="feeds.test")))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_permitted(address: str) -> None:
    assert is_permitted(address)


def test_a_network_that_is_none_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="allow_networks"):
        client(allow=["10.0.0.0/99"])


NOW = datetime(2025, 12, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "120"}, timedelta(minutes=2)),
        ({"Retry-After": "99999999999"}, None),
        ({"Retry-After": "soon"}, None),
        ({"RateLimit": '"api";r=0;t=42'}, timedelta(seconds=42)),
        ({}, None),
    ],
)
async def test_a_429_says_when_to_come_back(
    web: WebServer, http: Http, headers: dict[str, str], wait: timedelta | None
) -> None:
    web.answer("/", status=429, headers=headers)
    error = await failure_of(http, web.url(), now=NOW)
    assert error.retry_after == wait
    assert "fewer requests (429)" in str(error)


async def test_a_retry_after_date_counts_from_the_servers_own_clock(web: WebServer, http: Http) -> None:
    def busy(_: object) -> Answer:
        until = datetime.now(UTC) + timedelta(hours=1)
        return Answer(status=503, headers={"Retry-After": format_datetime(until, usegmt=True)})

    web.answer("/", busy)
    wait = (await failure_of(http, web.url(), now=NOW)).retry_after
    assert wait is not None
    assert timedelta(minutes=59) < wait < timedelta(minutes=61)


async def test_410_says_that_the_source_is_gone(web: WebServer, http: Http) -> None:
    web.answer("/", status=410)
    assert (await failure_of(http, web.url())).gone


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 500, 502])
async def test_every_other_status_is_a_sentence_with_the_host(web: WebServer, http: Http, status: int) -> None:
    web.answer("/", status=status)
    error = await failure_of(http, web.url())
    assert "127.0.0.1" in str(error)
    assert str(status) in str(error)
    assert not error.gone


async def test_no_cookie_is_kept(web: WebServer, http: Http) -> None:
    web.answer("/", headers={"Set-Cookie": "id=1"}, body=b"x")
    await http.get(web.url())
    await http.get(web.url())
    assert "cookie" not in web.requests[1].headers


async def test_proxies_of_the_environment_are_not_used(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    web.answer("/", body=b"direct")
    async with client() as http:
        assert (await http.get(web.url())).body == b"direct"


async def test_a_host_that_asks_for_a_pause_is_left_alone_by_every_source(web: WebServer, http: Http) -> None:
    web.answer("/a", status=429, headers={"Retry-After": "120"})
    web.answer("/b", body=b"never asked")
    await failure_of(http, web.url("/a"))
    error = await failure_of(http, web.url("/b"))
    assert "127.0.0.1 has asked for fewer requests" in str(error)
    assert error.retry_after is not None
    assert timedelta(seconds=110) < error.retry_after <= timedelta(seconds=120)
    assert [each.path for each in web.requests] == ["/a"]


async def test_the_last_request_of_a_window_is_the_last(web: WebServer, http: Http) -> None:
    web.answer("/a", body=b"yes", headers={"RateLimit": '"api";r=1;t=200'})
    web.answer("/b", body=b"yes", headers={"RateLimit": '"api";r=0;t=171'})
    for path in ("/a", "/a", "/b"):
        assert (await http.get(web.url(path))).body == b"yes"
    assert "fewer requests" in str(await failure_of(http, web.url("/a")))


async def test_a_redirect_to_a_host_that_is_held_is_not_followed(web: WebServer) -> None:
    web.answer("/busy", status=503, headers={"Retry-After": "60"})
    web.redirect("/", web.url("/busy"))
    async with client(resolve=resolver(["127.0.0.1"])) as http:
        await failure_of(http, web.url("/busy"))
        assert "fewer requests" in str(await failure_of(http, web.url("/", host="other.test")))
    assert [each.path for each in web.requests] == ["/busy", "/"]


async def test_silence_in_the_middle_ends_before_the_whole_deadline(web: WebServer) -> None:
    web.answer("/", body=drip(b"x", every=30))
    async with client(silence=0.2) as http:
        assert "127.0.0.1 fell silent" in str(await failure_of(http, web.url()))


async def test_404_says_that_the_address_is_missing(web: WebServer, http: Http) -> None:
    assert (await failure_of(http, web.url("/nothing"))).missing


async def test_a_service_known_to_be_slow_has_a_deadline_of_its_own(web: WebServer) -> None:
    slowly = islice(drip(b"x", every=0.05), 6)
    web.answer("/", body=slowly)
    async with client(seconds=0.1, silence=0.01) as http:
        assert (await http.get(web.url(), deadline=timedelta(seconds=20))).body == b"x" * 6
        web.answer("/", body=drip(b"x", every=0.02))
        assert "within 0.1 s" in str(await failure_of(http, web.url(), deadline=timedelta(seconds=0.1)))
