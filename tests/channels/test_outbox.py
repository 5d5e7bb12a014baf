"""The outbox: real files in a real folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.channels.outbox import Outbox, file_name
from notifier.errors import Refused, TryLater
from tests.channels.messages import MAIL, mail, part_arguments, slack
from tests.compliance import BY_HAND

NAME = "20261123T070000Z-d_abc123-ada-at-example.org.eml"


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_a_mail_becomes_an_eml_and_its_html(tmp_path: Path) -> None:
    receipt = await Outbox(tmp_path / "deep" / "outbox").send(mail())
    folder = tmp_path / "deep" / "outbox"
    assert [path.name for path in files(folder)] == [NAME, NAME.replace(".eml", ".html")]
    assert (folder / NAME).read_bytes() == MAIL
    assert (folder / NAME.replace(".eml", ".html")).read_text("utf-8").strip() == "<p>café</p>"
    assert receipt.accepted == (NAME,)


async def test_a_mail_without_html_is_one_file(tmp_path: Path) -> None:
    await Outbox(tmp_path).send(mail(content=BY_HAND + b"\r\n\r\nplain\r\n"))
    assert [path.name for path in files(tmp_path)] == [NAME]


async def test_a_slack_message_becomes_readable_json_with_its_channel(tmp_path: Path) -> None:
    receipt = await Outbox(tmp_path).send(slack("#papers", parts=2))
    (path,) = files(tmp_path)
    assert path.name == "20261123T070000Z-d_abc123-papers.json"
    text = path.read_text("utf-8")
    assert json.loads(text) == {"channel": "#papers", "messages": [part_arguments(0), part_arguments(1)]}
    assert "—" in text and "\n  " in text
    assert receipt.accepted == (f"{path.name}#1", f"{path.name}#2")


async def test_sending_twice_leaves_the_same_file(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    receipts = [await outbox.send(mail()) for _ in range(2)]
    assert receipts[0] == receipts[1]
    assert len(files(tmp_path)) == 2


def test_names_sort_by_time_whatever_the_zone() -> None:
    first = mail(created_at=datetime(2026, 11, 23, 9, 30, tzinfo=timezone(timedelta(hours=9))))
    second = mail(created_at=datetime(2026, 11, 23, 0, 31, tzinfo=UTC))
    assert file_name(first) < file_name(second)


@settings(max_examples=50)
@given(
    target=st.text(max_size=400) | st.sampled_from(["../../etc/passwd", "/", "..", "a/../b", "\x00", "C:\\x", "-rf"])
)
def test_no_target_leaves_the_folder(target: str) -> None:
    name = file_name(mail(target, delivery_id=target))
    assert re.fullmatch(r"20261123T070000Z(-[A-Za-z0-9._-]+)?\.eml", name)
    assert len(name) < 255 and ".." not in Path(name).parts


async def test_a_folder_that_cannot_be_made_is_tried_later(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TryLater, match=r"cannot be written: .*outbox_dir\.$"):
        await Outbox(tmp_path / "file" / "outbox").send(mail())


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare, which makes a small disk, is not installed")
def test_a_full_disk_is_tried_later_and_leaves_no_half_file(tmp_path: Path) -> None:
    program = """
import asyncio, os, sys
from pathlib import Path
from notifier.channels.outbox import Outbox
from notifier.errors import TryLater
from tests.channels.messages import MAIL, mail
folder = Path(sys.argv[1])
try:
    asyncio.run(Outbox(folder).send(mail(content=MAIL + b"x" * 2_000_000)))
except TryLater as error:
    print(error)
print(sorted(os.listdir(folder)))
"""
    mount = f'mount -t tmpfs -o size=1m small "{tmp_path}" && exec "{sys.executable}" -c "$1" "{tmp_path}"'
    command = ["unshare", "-rm", "sh", "-c", mount, "sh", program]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    )
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"no small disk can be made here: {done.stderr.strip()}")
    assert "its disk is full" in done.stdout, done.stderr
    assert ".eml" not in done.stdout and ".tmp" not in done.stdout


async def test_a_slack_part_that_is_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        await Outbox(tmp_path).send(replace(slack(), parts=(b"{",)))


async def test_check_says_where_it_writes_and_leaves_nothing(tmp_path: Path) -> None:
    assert str(tmp_path / "outbox") in await Outbox(tmp_path / "outbox").check()
    assert files(tmp_path / "outbox") == []


async def test_check_fails_where_sending_would(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")
    with pytest.raises(TryLater):
        await Outbox(tmp_path / "outbox").check()
