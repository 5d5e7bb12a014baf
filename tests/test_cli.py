from __future__ import annotations

import json
import sqlite3
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from notifier.cli.base import NOW_VARIABLE
from tests.conftest import Shell

FIVE = "2025-12-16T05:00:00+00:00"


def papers(*lines: object) -> str:
    file = Path("papers.jsonl")
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    return str(file)


def paper(number: int = 1, **fields: object) -> dict[str, object]:
    return {"id": f"arxiv:2512.{number:05}", "title": f"Reward models, part {number}"} | fields


@pytest.fixture
def subscription(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(NOW_VARIABLE, FIVE)
    notifier("subscriber", "add", "ada@example.org", "--timezone", "Europe/Berlin", "--name", "Ada")
    return notifier("subscription", "add", "ada@example.org", "--channel", "outbox", "--every", "daily").id


def test_import_counts_and_importing_twice_changes_nothing(notifier: Shell) -> None:
    file = papers(paper(1), paper(2))
    assert notifier("import", file, "--json").json == {"new": 2, "updated": 0, "unchanged": 0, "rejected": []}
    assert notifier("import", file, "--json").json == {"new": 0, "updated": 0, "unchanged": 2, "rejected": []}


def test_a_bad_line_is_reported_with_its_number_and_the_others_go_in(notifier: Shell) -> None:
    ran = notifier("import", papers(paper(1), "{broken", paper(2), {"abstract": "no title"}), "--json")
    assert (ran.json["new"], [each["line"] for each in ran.json["rejected"]]) == (2, [2, 4])


def test_import_fails_where_no_line_was_good(notifier: Shell) -> None:
    assert notifier.tried("import", papers("nonsense")).code == 1


def test_a_missing_file_is_wrong_usage_and_says_what_to_give(notifier: Shell) -> None:
    ran = notifier.tried("import", "absent.jsonl")
    assert (ran.code, "absent.jsonl cannot be read" in ran.err) == (2, True)


def test_a_new_subscription_is_told_that_it_gets_nothing_without_a_rule(notifier: Shell, subscription: str) -> None:
    email = ["ada@example.org", "--channel", "outbox", "--every", "weekly", "--days", "mon,thu", "--at", "07:30"]
    ran = notifier("subscription", "add", *email)
    assert ran.out.strip().startswith("s_")
    assert "gets nothing until it has a rule" in ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["subscriber", "add", "nobody"], "'nobody' is no email address"),
        (["subscriber", "add", "b@example.org", "--timezone", "Berlin"], "did you mean Europe/Berlin"),
        (["subscriber", "add", "b@example.org", "--language", "fr"], "choose en or de"),
        (["subscriber", "add", "ada@example.org"], "is a subscriber already"),
        (["subscription", "add", "x@example.org", "--channel", "email", "--every", "daily"], "no subscriber"),
        (["subscription", "add", "ada@example.org", "--channel", "fax", "--every", "daily"], "no channel 'fax'"),
        (["subscription", "add", "ada@example.org", "--channel", "email", "--every", "yearly"], "yearly"),
        (
            ["subscription", "add", "ada@example.org", "--channel", "email", "--every", "daily", "--at", "25:00"],
            "25:00",
        ),
        (["subscription", "add", "ada@example.org", "--channel", "email", "--every", "daily", "--days", "x"], "x"),
        (["subscription", "pause", "s_none"], "no subscription s_none"),
        (["rule", "remove", "r_none"], "no rule r_none"),
        (["rule", "list", "s_none"], "no subscription s_none"),
        (["source", "remove", "none"], "no source none"),
        (["source", "fetch"], "no source to read"),
        (["source", "add", "https://example.org/feed", "--every", "1s"], "--every"),
        (["match", "catagory:x"], "did you mean 'category'"),
        (["match", "a", "--last", "soon"], "--last 'soon'"),
        (["why", "no such paper", "s_none"], "No stored paper"),
        (["subscriber", "list", "--now", "yesterday"], "--now 'yesterday' is no date"),
        (["nonsense"], "No such command"),
        (["run"], "--once"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_two(
    notifier: Shell, subscription: str, arguments: list[str], says: str
) -> None:
    ran = notifier.tried(*arguments)
    assert ran.code == 2, ran
    assert says in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_a_rule_that_does_not_parse_is_refused_with_a_mark_under_the_column(notifier: Shell, subscription: str) -> None:
    ran = notifier.tried("rule", "add", subscription, 'alignment "reward model')
    assert ran.code == 2
    assert ran.err.startswith("Rule not saved:")
    text, caret = ran.err.splitlines()[1:3]
    assert text[caret.index("^")] == '"'
    assert notifier("rule", "list", subscription, "--json").json == []


def test_a_mute_alone_is_told_to_get_nothing(notifier: Shell, subscription: str) -> None:
    assert "only mutes" in notifier("rule", "add", subscription, "survey", "--mute").err


def test_a_mute_can_end_and_only_a_mute(notifier: Shell, subscription: str) -> None:
    notifier("rule", "add", subscription, "survey", "--mute", "--until", "2025-12-20")
    (kept,) = notifier("rule", "list", subscription, "--json").json
    assert kept["until"] == "2025-12-19T23:00:00+00:00"
    assert notifier.tried("rule", "add", subscription, "survey", "--until", "2025-12-20").code == 2
    assert notifier.tried("rule", "add", subscription, "survey", "--mute", "--until", "2020-01-01").code == 2


def test_preview_shows_the_next_digest_and_records_nothing(notifier: Shell, subscription: str) -> None:
    notifier("rule", "add", subscription, "reward")
    notifier("import", papers(paper(1), paper(2, title="Other")))
    ran = notifier("preview", subscription)
    assert "Reward models, part 1" in ran.out
    assert "Other" not in ran.out
    assert notifier("deliveries", "--json").json == []
    assert [e["id"] for e in notifier("preview", subscription, "--json").json["entries"]] == ["arxiv:2512.00001"]


def test_match_shows_the_evidence(notifier: Shell) -> None:
    notifier("import", papers(paper(1)))
    (hit,) = notifier("match", "title:model", "--json").json
    assert (hit["id"], hit["evidence"]) == (
        "arxiv:2512.00001",
        [{"field": "title", "spans": [[7, 13]], "text": "models"}],
    )


def test_match_searches_everything_stored_unless_a_time_is_given(notifier: Shell) -> None:
    for number, day in enumerate(("2024-01-01", "2025-12-10", "2025-12-15"), 1):
        notifier("import", papers(paper(number)), "--now", day)
    at = ("--now", "2025-12-16")
    assert "3 of 3 papers match." in notifier("match", "reward", *at).out
    assert "2 of 2 papers seen in the last 30d match." in notifier("match", "reward", "--last", "30d", *at).out
    ran = notifier("match", "reward", "--limit", "1", *at)
    assert "part 3" in ran.out
    assert "3 of 3 papers match. The newest 1 is shown; --limit shows more." in ran.out
    assert [hit["id"][-1] for hit in notifier("match", "reward", "--limit", "2", "--json", *at).json] == ["3", "2"]
    assert notifier.tried("match", "reward", "--limit", "0").code == 2


def test_why_tells_the_story_from_not_matched_to_sent(notifier: Shell, subscription: str) -> None:
    notifier("import", papers(paper(1), paper(2, upvotes=7)))
    ask = ("why", "2512.00001", subscription)
    assert "no rule that includes" in notifier(*ask).out
    notifier("rule", "add", subscription, "diffusion")
    assert "no rule matches" in notifier(*ask).out
    reward = notifier("rule", "add", subscription, "reward").id
    assert "in the digest of 2025-12-16T08:00 Europe/Berlin" in notifier(*ask).out
    mute = notifier("rule", "add", subscription, "part", "--mute").id
    assert "the mute “part”" in notifier(*ask).out
    notifier("rule", "remove", mute)
    notifier("run", "--once", "--now", "2025-12-16T08:00:00+01:00")
    assert "Sent in the digest of 2025-12-16T08:00 Europe/Berlin" in notifier(*ask).out
    story = notifier(*ask, "--json").json
    assert (story["state"], [r["holds"] for r in story["rules"] if r["id"] == reward]) == ("sent", [True])
    notifier("rule", "add", subscription, "upvotes>=20")
    assert "7" in notifier("why", "Reward models, part 2", subscription).out


def test_follow_ups_are_asked_for_shown_and_ended(notifier: Shell, subscription: str) -> None:
    assert notifier("subscription", "list", "--json").json[0]["follow_ups"] == "off"
    assert "version,votes:100" in notifier("subscription", "follow", subscription, "votes:100,version").out
    assert "version,votes:100" in notifier("subscription", "list").out
    assert "no more" in notifier("subscription", "follow", subscription, "off").out
    assert notifier.tried("subscription", "follow", subscription, "citations").code == 2
    assert notifier.tried("subscription", "follow", "s_nobody", "code").code == 2
    options = ("ada@example.org", "--channel", "outbox", "--every", "weekly", "--follow-ups", "code")
    assert notifier("subscription", "add", *options, "--json").json["follow_ups"] == "code"


def test_a_digest_of_follow_ups_goes_out_with_its_subject(notifier: Shell, subscription: str, tmp_path: Path) -> None:
    notifier("rule", "add", subscription, "reward")
    notifier("subscription", "follow", subscription, "version,code")
    notifier("import", papers(paper(1, version=1)))
    notifier("run", "--once", "--now", "2025-12-16T08:00:00+01:00")
    revised = paper(1, version=2, code_url="https://code.example.org/x")
    notifier("import", papers(revised), "--now", "2025-12-16T20:00:00+01:00")
    shown = notifier("preview", subscription, "--json", "--now", "2025-12-16T21:00:00+01:00").json["follow_ups"]
    assert [(each["kind"], each["value"]) for each in shown] == [
        ("version", "2"),
        ("code", "https://code.example.org/x"),
    ]
    for day in ("17", "18"):
        notifier("run", "--once", "--now", f"2025-12-{day}T08:00:00+01:00")
    subjects = [line for file in sorted((tmp_path / "data").rglob("*.eml")) for line in _subject(file)]
    assert subjects == ["1 paper · reward · Tue 16 Dec", "1 follow-up · Wed 17 Dec"]


def _subject(file: Path) -> list[str]:
    return [str(message_from_bytes(file.read_bytes(), policy=policy.default)["Subject"])]


def test_why_names_former_titles_and_votes_and_finds_by_them(notifier: Shell, subscription: str) -> None:
    told = (("2025-12-14", "Crawling", 3), ("2025-12-15", "Walking", 8))
    for version, (day, title, votes) in enumerate(told, start=1):
        file = papers(paper(1, title=title, version=version, upvotes=votes))
        notifier("import", file, "--now", f"{day}T05:00:00+01:00")
    ran = notifier("why", "crawling", subscription)
    assert ran.out.startswith("Walking\n")
    assert "also titled “Crawling” (2025-12-14)" in ran.out
    assert "votes 3 → 8 (since 2025-12-14)" in ran.out
    story = notifier("why", "walking", subscription, "--json").json
    assert [each["title"] for each in story["titles"]] == ["Crawling"]
    assert [each["upvotes"] for each in story["growth"]] == [3, 8]


def test_a_removed_person_leaves_nothing(notifier: Shell, subscription: str) -> None:
    notifier("rule", "add", subscription, "reward")
    notifier("subscriber", "remove", "ada@example.org")
    assert notifier("subscription", "list", "--json").json == []


def test_pausing_until_a_date_and_resuming_are_shown(notifier: Shell, subscription: str) -> None:
    notifier("subscription", "pause", subscription, "--until", "2025-12-20")
    (paused,) = notifier("subscription", "list", "--json").json
    assert paused["paused_until"] == "2025-12-19T23:00:00+00:00"
    assert "2025-12-16 08:00 CET" in notifier("subscription", "resume", subscription).out


def test_init_writes_the_settings_once_and_keeps_what_was_set(notifier: Shell, tmp_path: Path) -> None:
    notifier("init")
    file = tmp_path / "data" / "notifier.toml"
    assert oct(file.stat().st_mode)[-3:] == "600"
    file.write_text('contact = "me@example.org"\n', "utf-8")
    assert "stays as it is" in notifier("init").out
    assert file.read_text("utf-8") == 'contact = "me@example.org"\n'


def test_doctor_says_what_is_missing_and_what_to_do(notifier: Shell) -> None:
    found = {each["topic"]: each for each in notifier("doctor", "--json").json}
    assert found["email"]["level"] == "hint"
    assert "smtp_host" in found["email"]["text"]
    assert "notifier source add" in found["sources"]["text"]


def test_doctor_says_which_operator_cannot_log_in(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFIER_OPERATORS", "Ada@example.org, bob@example.org")
    notifier("subscriber", "add", "ada@example.org")
    (said,) = [each["text"] for each in notifier("doctor", "--json").json if each["topic"] == "operators"]
    assert said == "bob@example.org is no subscriber and cannot log in: notifier subscriber add bob@example.org"


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("", "hint"),
        ("http://papers.example.org", "hint"),
        ("https://example.org/papers", "wrong"),
        ("https://papers.example.org", "ok"),
    ],
)
def test_doctor_says_where_links_in_mails_lead(
    notifier: Shell, monkeypatch: pytest.MonkeyPatch, url: str, level: str
) -> None:
    monkeypatch.setenv("NOTIFIER_BASE_URL", url)
    found = {each["topic"]: each["level"] for each in notifier.tried("doctor", "--json").json}
    assert found["pages"] == level


def test_doctor_fails_where_the_mail_server_does_not_answer(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFIER_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("NOTIFIER_SMTP_PORT", "9")
    ran = notifier.tried("doctor", "--json")
    assert ran.code == 1
    assert {each["topic"]: each["level"] for each in ran.json}["email"] == "wrong"


def test_a_database_of_a_newer_version_is_left_alone(notifier: Shell, tmp_path: Path) -> None:
    notifier("init")
    with sqlite3.connect(tmp_path / "data" / "notifier.db") as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('notifier', 'm9999_future', 'x')"
        )
    ran = notifier.tried("subscriber", "list")
    assert (ran.code, "newer Notifier" in ran.err) == (1, True)


def test_a_file_that_is_no_database_is_refused_with_what_to_do(notifier: Shell, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notifier.db").write_bytes(b"not a database at all" * 99)
    ran = notifier.tried("subscriber", "list")
    assert (ran.code, "damaged or no Notifier database" in ran.err) == (1, True)


def test_a_data_folder_that_cannot_be_made_is_a_sentence(notifier: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = notifier.tried("subscriber", "list", "--data-dir", str(tmp_path / "file" / "below"))
    assert (ran.code, "--data-dir" in ran.err) == (1, True)


def test_health_fails_where_nothing_serves(notifier: Shell) -> None:
    assert notifier.tried("health").code == 1


def test_the_demo_needs_nothing_and_shows_who_gets_what_and_why(
    notifier: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFIER_SMTP_HOST", "mail.example.org")
    ran = notifier("demo", "--out", str(tmp_path / "out"))
    assert "BECAUSE" in ran.out
    kinds = {file.suffix for file in (tmp_path / "out" / "outbox").iterdir()}
    assert kinds == {".eml", ".html", ".json"}
    notifier("demo", "--out", str(tmp_path / "out"))


def test_the_demo_empties_no_folder_of_somebody_else(notifier: Shell, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("dear")
    assert notifier.tried("demo", "--out", str(tmp_path)).code == 2
    assert (tmp_path / "mine.txt").exists()


def test_every_command_is_in_the_readme() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    commands = [
        *("demo", "init", "doctor", "serve", "run --once", "import", "match", "preview", "why", "deliveries", "health"),
        *(f"source {verb}" for verb in ("add", "list", "fetch", "remove", "pause", "resume", "import", "export")),
        *(f"subscriber {verb}" for verb in ("add", "set", "list", "remove")),
        *(f"subscription {verb}" for verb in ("add", "set", "list", "follow", "pause", "resume", "remove")),
        *(f"rule {verb}" for verb in ("add", "list", "remove", "history", "undo", "test", "stats")),
        *(f"rules {verb}" for verb in ("export", "import")),
        *(f"deliveries {verb}" for verb in ("show", "retry", "cancel")),
        *(f"topics {verb}" for verb in ("list", "show", "check")),
        *(f"token {verb}" for verb in ("add", "list", "revoke")),
    ]
    assert [each for each in commands if f"notifier {each}" not in readme] == []


def test_cadence_quiet_hours_and_weekends_can_be_changed(notifier: Shell, subscription: str) -> None:
    changed = notifier(
        "subscription", "set", subscription, "--every", "daily", "--at", "18:30", "--quiet", "22:00-07:00",
        "--no-weekends", "--max", "5", "--empty",
    )  # fmt: skip
    assert "every day at 18:30 Europe/Berlin, quiet 22:00-07:00, not on weekends, at most 5 papers" in changed.out
    (shown,) = notifier("subscription", "list", "--json").json
    assert (shown["at"], shown["quiet"], shown["weekends"], shown["max"], shown["empty"]) == (
        "18:30", "22:00-07:00", False, 5, True,
    )  # fmt: skip
    notifier("subscription", "set", subscription, "--quiet", "off", "--weekends")
    (shown,) = notifier("subscription", "list", "--json").json
    assert (shown["at"], shown["quiet"], shown["weekends"], shown["max"]) == ("18:30", None, True, 5)


def test_a_person_who_moves_gets_the_digest_at_the_same_hour_there(notifier: Shell, subscription: str) -> None:
    (before,) = notifier("subscription", "list", "--json").json
    assert "Asia/Tokyo" in notifier("subscriber", "set", before["email"], "--timezone", "Asia/Tokyo").out
    (after,) = notifier("subscription", "list", "--json").json
    assert after["timezone"] == "Asia/Tokyo" and after["next_due_at"] != before["next_due_at"]
    refused = notifier.tried("subscriber", "set", before["email"], "--timezone", "Asia/Tokio")
    assert refused.code == 2 and "no IANA time zone" in refused.err


def test_the_doctor_says_how_people_inside_slack_are_answered(notifier: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFIER_SLACK_APP_TOKEN", "xapp-secret")
    monkeypatch.setenv("NOTIFIER_SLACK_CLIENT_ID", "1.2")
    said = notifier.tried("doctor").out
    assert "/papers is answered over a socket" in said and "belong together" in said
    assert "xapp-secret" not in said
