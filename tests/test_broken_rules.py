"""A rule that stopped parsing is off by itself alone, said in every list, and told to its owner once at least."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from notifier.cadence import parse_time
from notifier.cli.base import NOW_VARIABLE
from notifier.collect import absorb
from notifier.matching import RuleSet
from notifier.model import Cadence, Every
from notifier.plan import plan
from notifier.store import SqliteStore
from tests.builders import NOW, planned, rule, sighting, subscriber, subscription
from tests.conftest import Shell

WRONG = 'rewrad AND "open'
REASON = "A quotation mark is not closed"


@pytest.fixture(params=["en", "de"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ada(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> str:
    return person(notifier, monkeypatch, "en")


def person(notifier: Shell, monkeypatch: pytest.MonkeyPatch, language: str) -> str:
    monkeypatch.setenv(NOW_VARIABLE, "2025-12-15T12:00:00+00:00")
    notifier("subscriber", "add", "ada@example.org", "--language", language)
    return notifier("subscription", "add", "ada@example.org", "--channel", "outbox", "--every", "daily").id


def broken(notifier: Shell, subscription: str, query: str = "reward", *options: str) -> str:
    """A rule that an earlier version took and this one does not read."""
    id = notifier("rule", "add", subscription, query, *options).id
    with sqlite3.connect(Path("data") / "notifier.db") as database:
        database.execute("UPDATE rule SET query = ? WHERE id = ?", (WRONG, id))
    database.close()
    return id


def arrive(notifier: Shell, number: int, title: str) -> None:
    Path("papers.jsonl").write_text(json.dumps({"id": f"arxiv:2512.{number:05}", "title": title}), "utf-8")
    notifier("import", "papers.jsonl")


def morning(notifier: Shell, day: int) -> list[EmailMessage]:
    """What was sent by one pass in the morning of that day of December."""
    before = outbox()
    notifier("run", "--once", "--now", f"2025-12-{day}T08:00:30+00:00")
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in sorted(outbox() - before)]


def outbox() -> set[Path]:
    return set((Path("data") / "outbox").glob("*.eml"))


def bodies(mail: EmailMessage) -> list[str]:
    found = [mail.get_body((kind,)) for kind in ("html", "plain")]
    return [" ".join(part.get_content().split()) for part in found if part is not None]


def test_a_broken_rule_is_shown_with_its_reason_in_every_list(notifier: Shell, ada: str) -> None:
    arrive(notifier, 1, "Reward models")
    notifier("rule", "add", ada, "models")
    id = broken(notifier, ada)
    for command in (
        ("rule", "list", ada),
        ("subscription", "list"),
        ("rule", "stats", ada),
        ("rules", "export", ada),
        ("why", "2512.00001", ada),
        ("preview", ada),
    ):
        assert REASON in " ".join(notifier(*command).out.split()), command
    assert f"{id} of ada@example.org is off" in notifier.tried("doctor").out.replace("Rule ", "")
    assert "2, 1 off" in notifier("subscription", "list").out
    assert notifier("subscription", "list", "--json").json[0]["off"] == [id]
    assert [bool(each["broken"]) for each in notifier("rule", "list", ada, "--json").json] == [False, True]
    assert REASON in notifier("rule", "stats", ada, "--json").json["broken"][0]["reason"]
    assert REASON in notifier("preview", ada, "--json").json["warnings"][0]["reason"]


def test_why_does_not_say_that_a_rule_that_is_off_did_not_match(notifier: Shell, ada: str) -> None:
    arrive(notifier, 1, "Reward models")
    broken(notifier, ada)
    assert "1 of 1 is off, because it does not parse" in notifier("why", "2512.00001", ada).out


def test_the_other_rules_go_on_and_the_digest_names_the_broken_one(
    notifier: Shell, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    id = person(notifier, monkeypatch, language)
    notifier("rule", "add", id, "models")
    broken(notifier, id, "reward", "--label", "rewards")
    arrive(notifier, 1, "Reward models")
    (mail,) = morning(notifier, 16)
    said = {
        "en": "The rule “rewards” no longer parses and is left out until it is mended: ",
        "de": "Die Regel „rewards“ ist nicht mehr lesbar und ruht, bis sie berichtigt ist: ",
    }
    for body in bodies(mail):
        assert "Reward models" in body and said[language] in body and REASON in body


def test_where_nothing_else_is_to_be_sent_a_notice_goes_out_once(
    notifier: Shell, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    id = person(notifier, monkeypatch, language)
    arrive(notifier, 1, "Reward models")
    broken(notifier, id)
    (mail,) = morning(notifier, 16)
    subject = {"en": "1 rule to be mended · Tue 16 Dec", "de": "1 Regel zu berichtigen · Di 16. Dez"}
    silence = {"en": "No rule that includes papers can be read", "de": "Keine Regel, die Paper einschließt, ist lesbar"}
    assert mail["Subject"] == subject[language]
    for body in bodies(mail):
        assert silence[language] in body and REASON in body
    assert morning(notifier, 16) == morning(notifier, 17) == morning(notifier, 18) == []
    assert [each["state"] for each in notifier("deliveries", "--json").json] == ["sent"]


def test_a_rule_that_breaks_in_another_way_is_told_again(notifier: Shell, ada: str) -> None:
    id = broken(notifier, ada)
    assert len(morning(notifier, 16)) == 1
    with sqlite3.connect(Path("data") / "notifier.db") as database:
        database.execute("UPDATE rule SET query = 'colour:red' WHERE id = ?", (id,))
    database.close()
    assert len(morning(notifier, 17)) == 1
    assert morning(notifier, 18) == []


def test_a_rule_mended_by_a_file_works_again_and_brings_what_it_missed(notifier: Shell, ada: str) -> None:
    arrive(notifier, 1, "Reward models")
    broken(notifier, ada)
    morning(notifier, 16)
    notifier("rules", "export", ada, "rules.yaml")
    text = Path("rules.yaml").read_text("utf-8")
    assert text.startswith("# r_") and REASON in text.splitlines()[0]
    # An unchanged file is no reason to refuse: the rule stays off.
    assert "1 unchanged" in notifier("rules", "import", "rules.yaml").out
    Path("rules.yaml").write_text(text.replace(f"query: {WRONG}", "query: reward"), "utf-8")
    notifier("rules", "import", "rules.yaml", "--yes")
    (mail,) = morning(notifier, 17)
    for body in bodies(mail):
        assert "Reward models" in body and REASON not in body


def test_a_file_with_a_rule_that_broke_but_was_not_noted_yet_can_be_imported(notifier: Shell, ada: str) -> None:
    broken(notifier, ada)
    notifier("rules", "export", ada, "rules.yaml")
    assert "1 unchanged" in notifier("rules", "import", "rules.yaml").out


def test_a_rule_whose_topic_goes_and_comes_back_works_again(
    notifier: Shell, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("topics").mkdir()
    monkeypatch.setenv("NOTIFIER_TOPICS_DIR", "topics")
    topic = Path("topics/rewards.yaml")
    topic.write_text("title: Rewards\ndescription: Rewards.\nquery: reward\n", "utf-8")
    notifier("rule", "add", ada, "topic:rewards")
    arrive(notifier, 1, "Reward models")
    kept = topic.rename("rewards.yaml")
    (notice,) = morning(notifier, 16)
    assert "unknown topic 'rewards'" in bodies(notice)[1]
    kept.rename(topic)
    (mail,) = morning(notifier, 17)
    assert "Reward models" in bodies(mail)[1] and "no longer parses" not in bodies(mail)[1]
    through = [each["via"] for each in notifier("rule", "history", ada, "--json").json]
    assert through == ["cli", "plan", "plan"]


def test_an_instant_subscription_gets_one_notice_and_then_silence(store: SqliteStore) -> None:
    with store.write():
        store.subscribers.add(subscriber())
        store.subscriptions.put(subscription(cadence=Cadence(every=Every.INSTANT), next_due_at=NOW))
        store.rules.put([rule("(reward")], actor="t", via="cli", now=NOW - timedelta(days=1))
    for minute in range(1, 6):
        now = NOW + timedelta(minutes=minute)
        absorb(store, [sighting(minute)], source="feed", baseline=False, now=now)
        plan(store, RuleSet(), look_back=timedelta(days=7), now=now)
    assert len(store.deliveries.all()) == 1


def test_a_notice_whose_slot_is_taken_waits_for_the_next_one(store: SqliteStore) -> None:
    taken = planned("d_taken", "s_one", "2025-12-16")
    with store.write():
        store.subscribers.add(subscriber())
        store.subscriptions.put(subscription(cadence=Cadence(every=Every.DAILY, at=parse_time("08:00"))))
        store.rules.put([rule("(reward")], actor="t", via="cli", now=NOW - timedelta(days=1))
        store.deliveries.record([taken])
        store.subscriptions.put(subscription(next_due_at=NOW))
    counts = []
    for day in range(3):
        plan(store, RuleSet(), look_back=timedelta(days=7), now=NOW + timedelta(days=day, hours=1))
        counts.append(len(store.deliveries.all()))
    assert counts == [1, 2, 2]


def test_a_broken_mute_that_has_ended_is_no_news(store: SqliteStore) -> None:
    ended = rule("(survey", "r_two", until=NOW - timedelta(days=1))
    with store.write():
        store.subscribers.add(subscriber())
        store.subscriptions.put(subscription())
        store.rules.put([rule("nothing-like-it"), ended], actor="t", via="cli", now=NOW - timedelta(days=1))
    plan(store, RuleSet(), look_back=timedelta(days=7), now=NOW + timedelta(hours=1))
    assert store.deliveries.all() == []
