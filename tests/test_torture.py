"""The torture runs in short, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import entry
from tests.tools import need
from tests.torture import torture_feeds, torture_hostile, torture_slack, torture_smtp

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("more", [[], ["--connections", "4"], ["--connections", "2", "--hold"]])
def test_kills_at_every_point_lose_no_mail_and_differ_in_none(more: list[str]) -> None:
    need("smtp-sink")
    command = [sys.executable, "-m", "tests.torture.torture_kills", "--kills", "11", "--mails", "220", "--seed", "3"]
    command += more
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost 0," in done.stdout or "--hold" in more


async def test_each_fault_at_each_place_of_a_conversation_is_told_for_what_it_is(tmp_path: Path) -> None:
    report = await torture_smtp.torture(
        folder=tmp_path, chosen=torture_smtp.one_of_each(), step=1201, pipelining=(True,)
    )
    assert report.wrong == []
    assert report.cases["faults"] == len(torture_smtp.EXPECTED) == 66
    assert report.cases["cuts"] > 4


async def test_each_answer_of_slack_is_told_for_what_it_is() -> None:
    few = ("token_revoked", "is_archived", "internal_error")
    report = await torture_slack.answers(errors=few, statuses=(200, 429, 503))
    assert report.wrong == []
    assert report.cases == len(torture_slack.BODIES) * 9 == 108
    assert len(torture_slack.EXPECTED) == 30


def test_kills_while_slack_is_posted_to_lose_no_part_and_post_none_twice(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, tempfile; from tests.torture.torture_slack import killed; "
        "report = killed(kills=7, digests=9, seed=3, folder=pathlib.Path(tempfile.mkdtemp(dir=sys.argv[1]))); "
        "print(report); sys.exit(not report.is_good)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("part", ["stopped", "disk", "damage", "clock"])
def test_processes_disks_and_clocks_lose_nothing_and_send_nothing_twice(part: str) -> None:
    need({"stopped": "smtp-sink", "disk": "unshare", "damage": "notifier", "clock": "faketime"}[part])
    command = [sys.executable, "-m", "tests.torture.torture_processes", "--rounds", "0", "--seed", "4", "--only", part]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "faults: 0" in done.stdout


async def test_mutated_feeds_become_clean_entries_or_an_error_for_people(tmp_path: Path) -> None:
    report = await torture_feeds.torture(inputs=90, seed=5, folder=tmp_path)
    assert report.faults == []
    assert {kind for kind, _ in report.outcomes} == set(torture_feeds.SEEDS)
    assert report.entries > 50


@pytest.mark.parametrize("kind", torture_feeds.SEEDS)
async def test_every_seed_that_is_mutated_is_itself_read_whole(kind: str, tmp_path: Path) -> None:
    report = await torture_feeds.untouched(kind, folder=tmp_path)
    assert report.faults == []
    assert {outcome for _, outcome in report.outcomes} == {"nothing" if kind == "opml" else "entries"}


@pytest.mark.parametrize(
    "fields", [{"title": "bell\x07"}, {"abstract": "\u202ereversed"}, {"url": "javascript:alert(1)"}, {"title": ""}]
)
def test_the_torture_of_feeds_notices_an_entry_that_is_not_clean(fields: dict[str, str]) -> None:
    with pytest.raises(torture_feeds.Unclean):
        torture_feeds.demand_clean(entry(**fields))


def test_hostile_texts_and_links_arrive_as_harmless_text_in_every_format() -> None:
    need("chromium")
    report = torture_hostile.torture(texts=1_000, seed=7)
    assert report.faults == []
    assert report.seen["pages by Chromium"] == 2 * report.seen["slack"] > 20


def test_the_torture_of_texts_notices_what_is_active() -> None:
    need("chromium")
    report = torture_hostile.Report()
    with torture_hostile.pages_by_chromium(report) as look:
        look(0, "<p>fine <a href='https://example.org'>too</a><script>alert(1)</script>")
        look(1, "<p onclick=x><a href='java&#10;script:alert(1)'>x</a><svg><style><!--</style>")
        look(2, "<p>harmless")
    told = " ".join(report.faults)
    assert all(each in told for each in ("<script>", "a script ran: 1", "p onclick", "a link to", "<svg>"))
    assert "digest 2" not in told
