"""``notifier deliveries``: what was sent and what was not, in words, and an operator's word about it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from notifier.errors import Cause
from notifier.model import DeliveryState
from notifier.trouble import advice
from tests.builders import planned
from tests.conftest import Shell
from tests.servers.smtp import MailServer

AT_FIVE = "2025-12-16T05:00:00+00:00"
AT_EIGHT = "2025-12-16T08:00:00+00:00"
AT_NINE = "2025-12-16T09:00:00+00:00"
NEXT_DAY = "2025-12-17T08:00:00+00:00"


def paper(notifier: Shell, number: int, at: str) -> None:
    Path("papers.jsonl").write_text(json.dumps({"id": f"arxiv:2512.{number:05}", "title": f"Reward {number}"}), "utf-8")
    notifier("import", "papers.jsonl", "--now", at)


def subscribed(notifier: Shell, email: str = "ada@example.org") -> str:
    notifier("subscriber", "add", email, "--now", AT_FIVE)
    id = notifier("subscription", "add", email, "--channel", "email", "--every", "daily", "--now", AT_FIVE).id
    notifier("rule", "add", id, "reward", "--label", "rewards", "--now", AT_FIVE)
    return id


def failed(notifier: Shell, mail_server: MailServer, reply: str = "550 5.1.1 no such user") -> str:
    """One digest that was refused at eight; its id."""
    subscribed(notifier)
    paper(notifier, 1, AT_FIVE)
    mail_server.fail("RCPT", reply)
    notifier.tried("run", "--once", "--now", AT_EIGHT)
    mail_server.heal()
    (only,) = notifier("deliveries", "--json").json
    return str(only["id"])


def states(notifier: Shell, *options: str) -> list[str]:
    return [each["state"] for each in notifier("deliveries", *options, "--json").json]


def test_the_name_alone_lists_and_says_so_where_there_is_nothing(notifier: Shell) -> None:
    assert "Nothing was planned yet" in notifier("deliveries").out
    assert "Nothing went wrong." in notifier("deliveries", "--failed").out
    assert "Nothing is held." in notifier("deliveries", "--held").out
    assert "There are none of these." in notifier("deliveries", "--last", "7d").out


def test_failures_are_grouped_and_each_group_says_what_to_do(notifier: Shell, mail_server: MailServer) -> None:
    for name in ("ada", "bob", "eve"):
        subscribed(notifier, f"{name}@example.org")
    paper(notifier, 1, AT_FIVE)
    mail_server.fail("RCPT", "550 5.7.1 not from here", only="eve")
    mail_server.fail("RCPT", "550 5.1.1 no such user")
    notifier.tried("run", "--once", "--now", AT_EIGHT)
    said = notifier("deliveries", "--failed").out
    assert said.count("The address does not exist (2)") == 1
    assert "notifier subscription remove" in said
    assert "The receiving side objects to this sender (1)" in said
    assert "SPF" in said
    causes = {each["email"]: each["cause"] for each in notifier("deliveries", "--failed", "--json").json}
    assert causes == {"ada@example.org": "address", "bob@example.org": "address", "eve@example.org": "sender"}


@pytest.mark.parametrize("cause", [*Cause, None])
@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.DEFERRED])
def test_there_is_advice_for_every_cause_in_every_state(cause: Cause | None, state: DeliveryState) -> None:
    delivery = planned().delivery
    assert delivery is not None
    told = advice(replace(delivery, state=state, cause=cause))
    assert told is not None
    assert all(told)
    if state is not DeliveryState.DEFERRED:
        assert "by itself" not in told[1]


def test_lists_are_filtered_by_state_subscription_and_time(notifier: Shell, mail_server: MailServer) -> None:
    failed(notifier, mail_server)
    notifier("bounces", "release", "ada@example.org", "--confirmed")
    other = subscribed(notifier, "bob@example.org")
    notifier("run", "--once", "--now", AT_NINE)
    paper(notifier, 2, AT_NINE)
    mail_server.fail("RCPT", "450 4.2.0 later", only="ada")
    notifier("run", "--once", "--now", NEXT_DAY)
    assert states(notifier, "--state", "failed") == ["failed"]
    assert states(notifier, "--waiting") == ["deferred"]
    assert set(states(notifier, "--subscription", other)) == {"sent"}
    assert "failed" not in states(notifier, "--last", "12h", "--now", NEXT_DAY)
    assert notifier.tried("deliveries", "--subscription", "s_none").code == 2
    assert notifier.tried("deliveries", "--state", "lost").code == 2
    assert notifier.tried("deliveries", "--last", "soon").code == 2


def test_show_tells_what_to_whom_and_every_attempt(notifier: Shell, mail_server: MailServer) -> None:
    id = failed(notifier, mail_server)
    said = notifier("deliveries", "show", id).out
    for part in ("ada@example.org", "Reward 1", "rewards", "no such user", "1 paper", "2025-12-16 08:00 UTC", "To do"):
        assert part in said
    data = notifier("deliveries", "show", id, "--json").json
    assert [(each["number"], each["state"]) for each in data["tries"]] == [(1, "failed")]
    assert [each["id"] for each in data["papers"]] == ["arxiv:2512.00001"]
    assert notifier.tried("deliveries", "show", "d_none").code == 2


def test_a_retry_sends_the_frozen_message_at_the_next_pass(notifier: Shell, mail_server: MailServer) -> None:
    id = failed(notifier, mail_server)
    notifier("bounces", "release", "ada@example.org", "--confirmed")
    frozen = notifier("deliveries", "show", id, "--json").json["subject"]
    assert "is due again" in notifier("deliveries", "retry", id, "--now", AT_NINE).out
    assert "1 sent" in notifier("run", "--once", "--now", AT_NINE).out
    (mail,) = mail_server.mails
    assert frozen.split(" ·")[0].encode() in mail.content
    data = notifier("deliveries", "show", id, "--json").json
    assert (data["attempts"], [each["state"] for each in data["tries"]]) == (2, ["failed", "sent"])


def test_all_that_failed_can_be_retried_at_once(notifier: Shell, mail_server: MailServer) -> None:
    failed(notifier, mail_server)
    notifier("deliveries", "retry", "--all-failed", "--now", AT_NINE)
    assert states(notifier) == ["deferred"]
    assert "Nothing has failed." in notifier("deliveries", "retry", "--all-failed").out
    assert notifier.tried("deliveries", "retry").code == 2


def test_a_retry_for_a_paused_subscription_says_that_it_waits(notifier: Shell, mail_server: MailServer) -> None:
    id = failed(notifier, mail_server)
    (only,) = notifier("deliveries", "--json").json
    notifier("subscription", "pause", only["subscription"], "--now", AT_EIGHT)
    assert "once its subscription is resumed" in notifier("deliveries", "retry", id, "--now", AT_NINE).out


def test_what_is_cancelled_is_never_sent_nor_its_papers_again(notifier: Shell, mail_server: MailServer) -> None:
    id = failed(notifier, mail_server)
    assert "its 1 paper is not sent" in notifier("deliveries", "cancel", id, "--now", AT_NINE).out
    notifier("run", "--once", "--now", NEXT_DAY)
    assert mail_server.mails == []
    assert states(notifier) == ["cancelled"]
    assert (
        "cancelled" in notifier("why", "arxiv:2512.00001", notifier("deliveries", "--json").json[0]["subscription"]).out
    )


def test_a_word_that_does_not_fit_changes_none_of_them_and_says_why(notifier: Shell, mail_server: MailServer) -> None:
    id = failed(notifier, mail_server)
    notifier("bounces", "release", "ada@example.org", "--confirmed")
    paper(notifier, 2, AT_NINE)
    notifier("run", "--once", "--now", NEXT_DAY)
    sent = next(each["id"] for each in notifier("deliveries", "--json").json if each["state"] == "sent")
    ran = notifier.tried("deliveries", "retry", id, sent, "--now", NEXT_DAY)
    assert ran.code == 1
    assert f"{sent} is sent" in ran.err
    assert sorted(states(notifier)) == ["failed", "sent"]
    assert notifier.tried("deliveries", "cancel", "d_none").code == 2


def test_an_unknown_end_is_counted_in_the_list_and_by_doctor_and_held_where_wished(
    notifier: Shell, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_AFTER_UNKNOWN", "hold")
    subscribed(notifier)
    paper(notifier, 1, AT_FIVE)
    mail_server.drop("DOT", accept=True, times=1)
    assert "1 held" in notifier("run", "--once", "--now", AT_EIGHT).out
    said = notifier("deliveries", "--held").out
    assert "Nobody can know whether it arrived (1)" in said
    assert "notifier deliveries cancel" in said
    assert "1 attempt so far ended where nobody can know" in notifier("deliveries").out
    assert "1 held" in notifier.tried("doctor").out
    assert "1 attempt so far ended" in notifier.tried("doctor").out


def test_options_before_a_command_are_refused_because_they_would_mean_nothing(notifier: Shell) -> None:
    ran = notifier.tried("deliveries", "--limit", "3", "show", "d_one")
    assert ran.code == 2
    assert "--limit stands after the command" in ran.err
