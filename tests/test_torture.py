"""The torture runs in short, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.tools import need

ROOT = Path(__file__).parent.parent


def test_kills_at_every_point_lose_no_mail_and_differ_in_none() -> None:
    need("smtp-sink")
    command = [sys.executable, "-m", "tests.torture.torture_kills", "--kills", "22", "--mails", "220", "--seed", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost 0," in done.stdout
