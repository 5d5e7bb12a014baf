"""How fast and how many at once mail goes to a domain, and when a domain rests."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.channels.email import EmailChannel
from notifier.channels.smtp import Domains, Rates
from notifier.channels.smtp.replies import refusal
from notifier.errors import Cause, DomainAway, Paced, Refused, TryLater, Unreachable
from tests.channels.test_email import failure, mail, server_of
from tests.servers.smtp import MailServer


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as started:
        yield started


class Time:
    """Stands still but where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def domains(time: Time, *, patient: int = 1, **rates: float) -> Domains:
    return Domains(Rates(**rates), patient=patient, clock=time.clock, sleep=time.sleep)  # type: ignore[arg-type]


async def sent(among: Domains, address: str) -> timedelta | None:
    """None if it went out, else when it is to come again."""
    try:
        async with among.turn(address):
            return None
    except Paced as paced:
        return paced.retry_after


async def test_all_mails_go_out_one_after_the_other_at_their_rate() -> None:
    time = Time()
    among = domains(time, all=2)
    assert [await sent(among, f"ada@example{n}.org") for n in range(5)] == [None] * 5
    assert time.now == 2.0


async def test_a_turn_that_is_far_away_is_not_waited_for() -> None:
    time = Time()
    among = domains(time, all=0.1)
    assert await sent(among, "ada@example.org") is None
    assert await sent(among, "ada@example.org") == timedelta(seconds=10)
    assert time.slept == [0.0]


@given(rate=st.sampled_from([0.2, 0.5, 2.0]), count=st.integers(1, 40))
@settings(max_examples=20)
def test_who_is_put_off_for_its_domain_comes_through_in_its_turn_and_others_at_once(rate: float, count: int) -> None:
    async def run() -> None:
        time, tries = Time(), Counter[int]()
        among = domains(time, domain=rate)
        due = dict.fromkeys(range(count), 0.0)
        while due:
            number = min(due, key=lambda each: (due[each], each))
            time.now = max(time.now, due[number])
            tries[number] += 1
            wait = await sent(among, "ada@busy.example")
            if wait is None:
                del due[number]
            else:
                due[number] = time.now + wait.total_seconds()
            assert await sent(among, f"ada@quiet{tries.total()}.example") is None
        assert time.now <= count / rate
        assert max(tries.values()) <= 3

    asyncio.run(run())


async def test_only_so_many_are_on_their_way_to_a_domain_at_once() -> None:
    among = domains(Time(), patient=1, domain_at_once=2)
    on_their_way, most = Counter[str](), Counter[str]()

    async def one(address: str) -> timedelta | None:
        try:
            async with among.turn(address):
                on_their_way[address] += 1
                most[address] = max(most[address], on_their_way[address])
                await asyncio.sleep(0)
                on_their_way[address] -= 1
                return None
        except Paced as paced:
            return paced.retry_after

    ends = await asyncio.gather(*(one("ada@busy.example") for _ in range(4)), one("ada@quiet.example"))
    assert most == {"ada@busy.example": 2, "ada@quiet.example": 1}
    # One was patient; for another there was no room, so that its worker serves others.
    assert [end is None for end in ends] == [True, True, True, False, True]


async def test_a_domain_that_is_away_rests_ever_longer_and_costs_the_others_no_attempt() -> None:
    time = Time()
    among = domains(time)
    rests = []
    for _ in range(6):
        with pytest.raises(DomainAway):
            async with among.turn("ada@away.example"):
                raise DomainAway("away.example is away.")
        left = await sent(among, "bob@AWAY.example")
        assert left is not None
        rests.append(left / timedelta(minutes=1))
        assert await sent(among, "ada@here.example") is None
        time.now += left.total_seconds()
    assert rests == [5, 10, 20, 40, 60, 60]
    assert await sent(among, "bob@away.example") is None
    with pytest.raises(DomainAway):
        async with among.turn("ada@away.example"):
            raise DomainAway("away.example is away.")
    assert await sent(among, "bob@away.example") == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (450, "4.4.1 connect to mx: Connection timed out", DomainAway),
        (421, "4.4.2 example.org: lost connection", DomainAway),
        (451, "4.7.0 Too many mails for example.org, come back later", DomainAway),
        (450, "4.2.0 <ada@example.org>: Greylisted, see http://postgrey.example/example.org", TryLater),
        (451, "4.7.1 greylisting in action, domain example.org", TryLater),
        (450, "4.2.1 <ada@example.org>: the mailbox of example.org is busy", TryLater),
        (450, "4.7.1 <ada@example.org>: try again later", TryLater),
        (450, "4.3.0 mx.example.org is busy", TryLater),
        (421, "4.3.2 mx.example.org closes for maintenance", Unreachable),
        (550, "5.4.4 example.org has no mail server", Refused),
    ],
)
def test_what_a_reply_to_rcpt_says_of_the_whole_domain_is_told_from_the_rest(
    code: int, text: str, kind: type[Exception]
) -> None:
    assert type(refusal("relay:25", "RCPT", code, text, "ada@example.org")) is kind


async def test_mails_to_a_domain_that_is_away_wait_while_others_go_out(server: MailServer) -> None:
    channel = EmailChannel([server_of(server)], "papers@example.org")
    server.fail("RCPT", "451 4.4.1 no answer from away.example", times=1)
    first = await failure(channel, "ada@away.example")
    second = await failure(channel, "bob@away.example")
    assert isinstance(first, DomainAway) and first.cause is Cause.AWAY
    assert isinstance(second, Paced) and second.retry_after
    await channel.send(mail("ada@here.example"))
    assert [taken.recipients for taken in server.mails] == [("ada@here.example",)]
    await channel.close()
