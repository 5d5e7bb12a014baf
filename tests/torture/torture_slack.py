"""Slack at its worst: every answer told for what it is, and SIGKILL while digests are posted part by part.

``python -m tests.torture.torture_slack [--kills N] [--digests N] [--seed N]`` plans N digests of several parts; a
process that posts them to a real HTTP server that speaks Slack's Web API is killed at a named point, the next started,
and so on: in the end each part has to be in its channel once. Then each of 12 kinds of body with each of 6 statuses and
30 errors is given to a post, and what comes of it held against a table that knows nothing of the channel's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import structlog
from pydantic import SecretStr

from notifier.app import App
from notifier.channels.slack import SlackChannel
from notifier.errors import ChannelStopped, Refused, SendError, TryLater, Unknown, Unreachable
from notifier.matching import RuleSet
from notifier.model import Address, DeliveryState
from notifier.plan import plan
from notifier.settings import Settings
from notifier.store import SqliteStore
from tests.builders import NOW, entry, rule, sighted, subscriber, subscription
from tests.channels.messages import slack
from tests.servers.slack import TOKEN, Answer, SlackServer, rate_limited, refused
from tests.torture.mortal import AT_RANDOM, IN_STORE, delivered, delivering, is_left

POST = "chat.postMessage"
ON_THE_LINE = ("asked", "taken", "answered")
POINTS = (*IN_STORE, *ON_THE_LINE, AT_RANDOM)
LEASE = timedelta(minutes=15)
DUE = NOW + timedelta(hours=1)
PAPERS = 40
"""In each digest: with their abstracts they take four messages."""

PAUSE = 3.0
WAITING = 1_200
"""Digests that wait while a token is revoked: more than are claimed at once."""

STATUSES = (200, 400, 404, 429, 500, 503)
# By the error's name, written apart from the table of the channel.
EXPECTED: Mapping[str, type[SendError]] = {
    **dict.fromkeys(
        ("not_authed", "invalid_auth", "account_inactive", "token_revoked", "missing_scope"), ChannelStopped
    ),
    **dict.fromkeys(("token_expired", "team_access_not_granted", "accesslimited"), ChannelStopped),
    **dict.fromkeys(("is_archived", "channel_not_found", "not_in_channel", "restricted_action"), Refused),
    **dict.fromkeys(("restricted_action_read_only_channel", "messages_tab_disabled", "user_not_found"), Refused),
    **dict.fromkeys(("msg_too_long", "invalid_blocks", "no_text", "metadata_too_large", "thread_not_found"), Refused),
    **dict.fromkeys(("ratelimited", "rate_limited"), Unreachable),
    **dict.fromkeys(("service_unavailable", "request_timeout", "team_added_to_org", "ekm_access_denied"), TryLater),
    **dict.fromkeys(("internal_error", "fatal_error"), Unknown),
    **dict.fromkeys(("a_word_nobody_documented", "another_new_one"), TryLater),
}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


# By kind, the body that carries an error's name; whether the name is said by it.
BODIES: Mapping[str, tuple[Callable[[str], bytes], bool]] = {
    "answer": (lambda name: _json({"ok": False, "error": name}), True),
    "answer without ok": (lambda name: _json({"error": name, "warning": "x"}), True),
    "ok as text": (lambda name: _json({"ok": "true", "error": name}), True),
    "error in an object": (lambda name: _json({"ok": False, "error": {"name": name}}), False),
    "list": (lambda name: _json([{"ok": False, "error": name}]), False),
    "string": (lambda name: _json(name), False),
    "null": (lambda _: b"null", False),
    "html": (lambda name: f"<html><body>{name}</body></html>".encode(), False),
    "text": (lambda name: name.encode(), False),
    "empty": (lambda _: b"", False),
    "cut": (lambda name: _json({"ok": False, "error": name})[:-4], False),
    "not utf-8": (lambda name: b"\xff\xfe" + name.encode("utf-16-le"), False),
}


@dataclass(kw_only=True)
class Report:
    """``wrong`` are answers that were taken for something else, in words."""

    cases: int = 0
    wrong: list[str] = field(default_factory=list)
    digests: int = 0
    parts: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    twice: int = 0
    states: Counter[DeliveryState] = field(default_factory=Counter)
    revoked_calls: int = 1
    """Posts that were tried with a token that Slack had revoked."""
    pause: float = PAUSE
    """Seconds from an answer that asks for ``PAUSE`` to the next post."""

    @property
    def is_good(self) -> bool:
        ended = self.states[DeliveryState.SENT] == self.digests
        kept = self.revoked_calls == 1 and PAUSE <= self.pause <= PAUSE + 1
        return not (self.wrong or self.lost or self.twice) and ended and kept


async def answers(*, errors: Sequence[str] = tuple(EXPECTED), statuses: Sequence[int] = STATUSES) -> Report:
    """Every kind of body with every status and error."""
    report = Report()
    with SlackServer() as server:
        server.add_channel("C0PAPERS1", "papers")
        for kind, (body, says) in BODIES.items():
            for status in statuses:
                for name in errors:
                    report.cases += 1
                    server.heal()
                    server.answer(POST, Answer(status=status, body=body(name), headers={"Retry-After": "7"}))
                    expected = Unreachable if status == 429 else EXPECTED[name] if says else TryLater
                    if (said := await _said(server)) is not expected:
                        got = said.__name__ if isinstance(said, type) else said
                        report.wrong.append(f"{kind}, {status}, {name}: {got}, not {expected.__name__}")
    return report


async def _said(server: SlackServer) -> type[SendError] | str:
    """The kind of error that a post comes to, as near as it is told."""
    channel = SlackChannel(SecretStr(TOKEN), SecretStr(""), server.api_url)
    try:
        await channel.send(slack("C0PAPERS1"))
    except SendError as error:
        if isinstance(error, Unreachable) and error.retry_after != timedelta(seconds=7):
            return f"a pause of {error.retry_after}"
        kinds = (ChannelStopped, Refused, Unknown, Unreachable, TryLater)
        return next(kind for kind in kinds if isinstance(error, kind))
    except Exception as error:
        return f"{type(error).__name__} flew"
    finally:
        await channel.close()
    return "accepted"


async def revoked(folder: Path, *, digests: int = WAITING) -> int:
    """How many posts are tried, though so many digests wait, when Slack has revoked the token."""
    _prepare(folder, digests, papers=1)
    with SlackServer() as server:
        server.answer(POST, refused("token_revoked"))
        await delivering(_app(folder, server.api_url, DUE))
        return server.calls.count(POST)


async def paused(folder: Path) -> float:
    """Seconds from a 429 that asks for ``PAUSE`` to the next post, of any of several digests."""
    _prepare(folder, 8, papers=1)
    times: list[float] = []
    with SlackServer() as server:
        for number in range(8):
            server.add_channel(_channel(number), f"papers-{number}")
        server.answer(POST, rate_limited(int(PAUSE)), skip=2, times=1)
        server.reached = lambda method, point: times.append(time.monotonic()) if point == "asked" else None
        await delivering(_app(folder, server.api_url, DUE))
        assert len(server.taken) == 8, "what waited was not posted"
    return times[3] - times[2]


def killed(*, kills: int, digests: int, seed: int, folder: Path) -> Report:
    rng = random.Random(seed)
    data = folder / "data"
    _prepare(data, digests)
    report = Report(digests=digests)
    clock = DUE
    with _slack(digests) as server:
        for number in range(kills):
            point = POINTS[number % len(POINTS)]
            turn = {"claimed": 1, AT_RANDOM: rng.randint(20, 400)}.get(point) or rng.randint(1, 4)
            report.kills[point] += _deliver(data, server, clock, point, turn)
            # What the killed process held is free again when its lease has run out.
            clock += LEASE + timedelta(seconds=1)
        for _ in range(200):
            if not is_left(data):
                break
            _deliver(data, server, clock, "", 0)
            clock += timedelta(hours=2)
        posted = server.posted()
    return _reported(report, data, posted)


def _prepare(data: Path, digests: int, *, papers: int = PAPERS) -> None:
    data.mkdir(parents=True)
    store = SqliteStore(data / "notifier.db")
    seen = NOW - timedelta(hours=1)
    found = [
        replace(entry(n, abstract="Rewards are hard to learn. " * 20), first_seen_at=seen, new_at=seen)
        for n in range(papers)
    ]
    with store.write():
        for number in range(digests):
            person = subscriber(f"person{number}@example.org", id=f"p_{number}")
            store.subscribers.add(person)
            address = Address(kind="slack", target=_channel(number))
            store.subscriptions.put(subscription(f"s_{number}", person, address=address, max_entries=PAPERS))
        rules = [rule("reward", id=f"r_{n}", subscription_id=f"s_{n}") for n in range(digests)]
        store.rules.put(rules, actor="torture", via="cli", now=NOW)
        store.entries.put([sighted(each, at=seen) for each in found], now=seen)
    plan(store, RuleSet(), look_back=timedelta(days=7), now=DUE)
    store.close()


def _channel(number: int) -> str:
    return f"C0{number:06}"


class _Server:
    """A Slack server in a process of its own, so that the one that starts others stays without threads and can fork."""

    def __init__(self, orders: Connection) -> None:
        self._orders = orders
        self.api_url: str = orders.recv()

    def aim(self, pid: int, point: str, turn: int) -> None:
        self._orders.send((pid, point, turn))
        self._orders.recv()

    def posted(self) -> list[tuple[str, str, int]]:
        """Channel, delivery and part of each message that was taken."""
        self._orders.send("posted")
        found: list[tuple[str, str, int]] = self._orders.recv()
        return found


@contextmanager
def _slack(channels: int) -> Iterator[_Server]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(channels, theirs), daemon=True)
    process.start()
    try:
        yield _Server(ours)
    finally:
        ours.send(None)
        process.join(timeout=10)


def _serve(channels: int, orders: Connection) -> None:
    aim: list[tuple[int, str, int]] = []

    def reached(method: str, point: str) -> None:
        if method == POST and aim and aim[0][1] == point:
            pid, _, turn = aim.pop()
            if turn > 1:
                aim.append((pid, point, turn - 1))
                return
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            raise ConnectionResetError

    with SlackServer() as server:
        server.reached = reached
        # Its lines tell of connections that the killed left behind.
        logging.disable(logging.CRITICAL)
        for number in range(channels):
            server.add_channel(_channel(number), f"papers-{number}")
        orders.send(server.api_url)
        while (order := orders.recv()) is not None:
            if order == "posted":
                orders.send([_known(post.channel, post.arguments["metadata"]) for post in server.taken])
            else:
                aim[:] = [order] if order[0] else []
                orders.send("aimed")


def _known(channel: str, metadata: Mapping[str, Mapping[str, object]]) -> tuple[str, object, object]:
    payload = metadata["event_payload"]
    return channel, payload["delivery"], payload["part"]


def _deliver(data: Path, server: _Server, now: datetime, point: str, turn: int) -> bool:
    def aim(pid: int) -> None:
        server.aim(pid if point in ON_THE_LINE else 0, point, turn)

    return delivered(lambda: _app(data, server.api_url, now), aim, point, turn)


def _app(data: Path, api_url: str, now: datetime) -> App:
    settings = Settings(data_dir=data, slack_token=SecretStr(TOKEN), slack_api_url=api_url, lease=LEASE)
    begun = time.monotonic()
    return App(settings=settings, clock=lambda: now + timedelta(seconds=time.monotonic() - begun))


def _reported(report: Report, data: Path, posted: Sequence[tuple[str, str, int]]) -> Report:
    copies = Counter(posted)
    store = SqliteStore(data / "notifier.db")
    for each in store.deliveries.all(limit=report.digests + 1):
        report.states[each.state] += 1
        target = _channel(int(each.subscription_id.removeprefix("s_")))
        parts = [key for key in copies if key[:2] == (target, each.id)]
        report.parts += len(parts)
        # How many there were to be is told by what was accepted, and that they are all there by their numbers.
        wanted = len(each.accepted) or max((key[2] for key in parts), default=0) + 1
        report.lost += wanted - len({key[2] for key in parts} & set(range(wanted)))
    store.close()
    report.twice = sum(count - 1 for count in copies.values())
    return report


def torture(*, kills: int, digests: int, seed: int, folder: Path) -> Report:
    """Kills first: nothing may run in threads when processes are forked."""
    report = killed(kills=kills, digests=digests, seed=seed, folder=folder)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    told = asyncio.run(answers())
    report.cases, report.wrong = told.cases, told.wrong
    report.revoked_calls = asyncio.run(revoked(folder / "revoked"))
    report.pause = asyncio.run(paused(folder / "paused"))
    return report


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=140)
    parser.add_argument("--digests", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = torture(**vars(options), folder=Path(folder))
    minutes = (time.monotonic() - begun) / 60
    print(f"{report.cases:,} answers, {len(report.wrong)} taken for something else ({minutes:.1f} min with the kills)")
    for each in report.wrong[:20]:
        print(f"  {each}")
    print(f"  {WAITING:,} digests and a revoked token: {report.revoked_calls} call")
    print(f"  after a Retry-After of {PAUSE:g} s the next post came in {report.pause:.2f} s")
    print(f"{report.digests:,} digests in {report.parts:,} parts, {report.kills.total():,} kills (seed {options.seed})")
    print("  " + ", ".join(f"{count} {point}" for point, count in report.kills.items()))
    print(f"  lost {report.lost}, twice {report.twice}")
    print("  states: " + ", ".join(f"{state.value} {count:,}" for state, count in report.states.items()))
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
