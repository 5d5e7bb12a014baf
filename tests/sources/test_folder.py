"""A watched folder: each line once, half lines not yet, and nothing touched."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.errors import SourceError
from notifier.model import Fetched, SourceState
from notifier.sources import Http, folder, open_source
from notifier.sources.folder import Folder
from tests.conftest import Shell

NOW = datetime(2025, 12, 2, tzinfo=UTC)


def line(id: str, title: str = "A") -> str:
    return json.dumps({"id": id, "title": title}) + "\n"


class Watched:
    """A folder with its source, asked again and again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.mkdir(exist_ok=True)
        self._source = Folder(str(path), http=None, name="box")  # type: ignore[arg-type]
        self._clock = 1_000_000_000
        self.state = SourceState()

    def write(self, name: str, text: str, mode: str = "w") -> None:
        with (self.path / name).open(mode, encoding="utf-8") as file:
            file.write(text)
        # Two writes within one tick of the file system's clock are told apart by the tests, not by luck.
        self._clock += 1_000_000_000
        os.utime(self.path / name, ns=(self._clock, self._clock))

    def look(self) -> Fetched:
        fetched = self._source._fetch(self.state)
        self.state = fetched.state
        return fetched

    def ids(self) -> list[str]:
        return [each.entry.id for each in self.look().sightings]


@pytest.fixture
def box(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "box")


def test_new_and_grown_files_give_their_new_lines_once(box: Watched) -> None:
    box.write("a.jsonl", line("a1") + line("a2"))
    assert box.ids() == ["a1", "a2"]
    assert box.look().unchanged
    box.write("a.jsonl", line("a3"), "a")
    box.write("b.ndjson", line("b1"))
    assert box.ids() == ["a3", "b1"]
    assert box.look().unchanged


def test_a_line_that_is_still_being_written_waits_for_its_end(box: Watched) -> None:
    box.write("a.jsonl", line("a1") + line("a2")[:12])
    assert box.ids() == ["a1"]
    assert box.ids() == []
    box.write("a.jsonl", line("a2")[12:], "a")
    assert box.ids() == ["a2"]


def test_a_last_line_that_never_gets_its_end_is_read_when_the_file_rests(box: Watched) -> None:
    box.write("a.jsonl", line("a1") + line("a2").strip())
    assert [box.ids(), box.ids(), box.ids()] == [["a1"], ["a2"], []]
    box.write("a.jsonl", "\n" + line("a3"), "a")
    assert box.ids() == ["a3"]


@pytest.mark.parametrize("text", [line("a1", "B") + line("a2"), line("x"), line("a1") + line("a3") + line("a4")])
def test_a_file_that_was_rewritten_is_read_anew(box: Watched, text: str) -> None:
    box.write("a.jsonl", line("a1") + line("a2"))
    box.look()
    box.write("a.jsonl", text)
    assert box.ids() == [json.loads(each)["id"] for each in text.splitlines()]


def test_a_bad_line_is_reported_once_with_its_file_and_number(box: Watched) -> None:
    box.write("a.jsonl", line("a1"))
    box.look()
    box.write("a.jsonl", "{\n" + line("a2"), "a")
    (bad,) = box.look().rejected
    assert (bad.line, bad.reason.partition(": ")[0]) == (2, "in a.jsonl")
    assert box.look().rejected == ()


def test_other_files_drafts_folders_and_pipes_are_left_alone(box: Watched) -> None:
    box.write("notes.txt", line("n"))
    box.write(".a.jsonl.part.jsonl", line("draft"))
    (box.path / "sub.jsonl").mkdir()
    os.mkfifo(box.path / "pipe.jsonl")
    (box.path / "gone.jsonl").symlink_to(box.path / "nowhere")
    assert box.ids() == []


def test_nothing_is_touched(box: Watched) -> None:
    box.write("a.jsonl", line("a1") + "half")
    before = {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in box.path.iterdir()}
    box.look()
    box.look()
    assert {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in box.path.iterdir()} == before


def test_what_is_more_than_one_answer_holds_comes_with_the_next(box: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(line(f"p{n}", "x" * 200_000) for n in range(200))
    box.write("a.jsonl", text)
    box.write("b.jsonl", line("b1"))
    found, answers, is_more = [], 0, True
    while is_more:
        fetched = box.look()
        answers, is_more = answers + 1, fetched.more
        found += [each.entry.id for each in fetched.sightings]
    assert found == [*(f"p{n}" for n in range(200)), "b1"]
    assert answers > 1


def test_many_short_lines_come_in_several_answers(box: Watched) -> None:
    box.write("a.jsonl", "x\n" * 45_000 + line("a1"))
    box.write("b.jsonl", line("b1"))
    looks = [box.look() for _ in range(3)]
    assert [len(each.rejected) for each in looks] == [20_000, 20_000, 5_000]
    assert [each.more for each in looks] == [True, True, False]
    assert [each.entry.id for each in looks[-1].sightings] == ["a1", "b1"]
    assert looks[-1].rejected[-1].line == 45_000


def test_an_enormous_line_is_reported_and_left_behind(box: Watched) -> None:
    box.write("a.jsonl", "x" * 20_000_000 + "\n" + line("a2"))
    first, second = box.look(), box.look()
    assert "longer than 1,048,576 bytes" in first.rejected[0].reason
    assert [each.entry.id for each in (*first.sightings, *second.sightings)] == ["a2"]


def test_the_cursor_forgets_files_that_are_gone_and_is_bounded(box: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MAX_FILES", 3)
    for n in range(5):
        box.write(f"{n}.jsonl", line(f"f{n}"))
    fetched = box.look()
    assert [each.entry.id for each in fetched.sightings] == ["f2", "f3", "f4"]
    assert "5 files: only the 3 last written" in fetched.rejected[0].reason
    (box.path / "4.jsonl").unlink()
    box.look()
    assert sorted(json.loads(box.state.cursor or "")) == ["1.jsonl", "2.jsonl", "3.jsonl"]


async def test_a_folder_that_is_gone_is_a_failure(tmp_path: Path, http: Http) -> None:
    with pytest.raises(SourceError, match="check the folder of source 'box'"):
        await open_source("folder", str(tmp_path / "no"), http=http, name="box").fetch(SourceState(), now=NOW)


@settings(max_examples=40)
@given(st.lists(st.integers(1, 60), max_size=12), st.integers(1, 8))
def test_however_it_is_written_each_line_comes_once(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], n: int
) -> None:
    box = Watched(tmp_path_factory.mktemp("box"))
    text, found = "".join(line(f"p{each}") for each in range(n)), []
    for cut in (*cuts, len(text)):
        piece, text = text[:cut], text[cut:]
        box.write("a.jsonl", piece, "a")
        found += box.ids()
    assert found == [f"p{each}" for each in range(n)]


def test_the_shell_takes_a_folder_and_reads_all_of_it(notifier: Shell, tmp_path: Path) -> None:
    box = Watched(tmp_path / "box")
    box.write("a.jsonl", "".join(line(f"p{n}", "x" * 200_000) for n in range(100)))
    notifier("source", "add", "box")
    assert notifier("source", "fetch", "--json").json[0]["new"] == 100
    assert notifier("source", "list", "--json").json[0]["url"] == str(tmp_path / "box")
