"""A database that is damaged on its disk: each command works, or says where the damage is and how to restore."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from notifier import cli
from notifier.model import Address
from tests.sending import planned_for

Damage = Callable[[random.Random, bytearray], None]

_COMMANDS = (
    ("doctor",), ("run", "--once"), ("subscription", "list"), ("rule", "list", "s_one"), ("deliveries",),
    ("match", "reward"), ("source", "list"), ("subscriber", "set", "ada@example.org", "--name", "Ada"),
)  # fmt: skip
_PAGE = 4096
_SAYS = "is damaged or no Notifier database. Nothing was written: move it away and restore a copy"


@dataclass(slots=True)
class Report:
    files: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    """How commands ended; those that SQLite's own check finds nothing against apart."""
    faults: list[str] = field(default_factory=list)


def torture(*, files: int, seed: int, folder: Path) -> Report:
    report = Report()
    planned_for(folder / "whole.db", Address(kind="email"), papers=60)
    for number in range(files):
        rng = random.Random(f"{seed}:{number}")
        name, damage = rng.choice(list(DAMAGES.items()))
        data = folder / str(number)
        for told, wrong in _tried(rng, damage, folder / "whole.db", data):
            report.seen[told] += 1
            report.faults += [f"file {number} ({name}): {each}" for each in wrong]
        report.files += 1
        shutil.rmtree(data)
    return report


def _tried(rng: random.Random, damage: Damage, whole: Path, data: Path) -> Iterator[tuple[str, list[str]]]:
    """Every command on a file of its own, so that none works on what another one mended."""
    content = bytearray(whole.read_bytes())
    damage(rng, content)
    for command in (*_COMMANDS, ("serve",)):
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        (data / "notifier.db").write_bytes(content)
        is_whole = _is_whole(data / "notifier.db")
        if command == ("serve",) and is_whole:
            # It would go on for good.
            continue
        kind = "unnoticed" if is_whole else "damaged"
        code, said = _run(*command, "--data-dir", str(data))
        yield f"{kind}: {_ending(code, said)}", list(_wrong(command, code, said, is_whole))


def _is_whole(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as conn:
            return bool(conn.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


def _run(*arguments: str) -> tuple[int | None, str]:
    """None for what is no error made for people."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = cli.run(list(arguments))
        except Exception as error:
            return None, f"{type(error).__name__}: {error}"
    return code, out.getvalue() + err.getvalue()


def _ending(code: int | None, said: str) -> str:
    return "crashed" if code is None else "said so" if _SAYS in said else f"exit {code}"


def _wrong(command: Sequence[str], code: int | None, said: str, is_whole: bool) -> Iterator[str]:
    name = " ".join(command)
    if code is None and not is_whole:
        # Where SQLite finds nothing wrong, a value itself may be: nobody can know what it was.
        yield f"{name} crashed with {said}"
    if not is_whole and command[0] in ("serve", "doctor") and _SAYS not in said:
        yield f"{name} went on, {code}: {said[-300:]}"
    if code and _SAYS not in said and "Traceback" in said:
        yield f"{name}: {said[-300:]}"


def _head(rng: random.Random, content: bytearray) -> None:
    content[: rng.choice((16, 100, _PAGE))] = bytes(rng.choice((16, 100, _PAGE)))


def _page(rng: random.Random, content: bytearray) -> None:
    at = rng.randrange(1, len(content) // _PAGE) * _PAGE
    content[at : at + _PAGE] = rng.randbytes(_PAGE)


def _zeros(rng: random.Random, content: bytearray) -> None:
    """A run of pages that never reached the disk."""
    at = rng.randrange(1, len(content) // _PAGE) * _PAGE
    end = min(len(content), at + _PAGE * rng.choice((1, 4, 16)))
    content[at:end] = bytes(end - at)


def _cut(rng: random.Random, content: bytearray) -> None:
    del content[rng.randrange(_PAGE, len(content)) :]


def _cut_to_page(rng: random.Random, content: bytearray) -> None:
    del content[rng.randrange(1, len(content) // _PAGE) * _PAGE :]


def _flips(rng: random.Random, content: bytearray) -> None:
    for _ in range(rng.choice((1, 10, 200))):
        content[rng.randrange(100, len(content))] ^= 1 << rng.randrange(8)


def _swap(rng: random.Random, content: bytearray) -> None:
    """Two pages in each other's place."""
    one, two = (rng.randrange(1, len(content) // _PAGE) * _PAGE for _ in range(2))
    content[one : one + _PAGE], content[two : two + _PAGE] = content[two : two + _PAGE], content[one : one + _PAGE]


def _text(rng: random.Random, content: bytearray) -> None:
    content[:] = b"This was a database once.\n" * rng.choice((1, 400))


DAMAGES: dict[str, Damage] = {
    "head": _head, "random page": _page, "zeros": _zeros, "cut": _cut, "cut at a page": _cut_to_page, "flips": _flips,
    "swapped pages": _swap, "text": _text,
}  # fmt: skip
