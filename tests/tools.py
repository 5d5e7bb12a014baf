"""Outside tools that a test needs: skipped where they are missing, but not in CI."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest


def tool(name: str) -> str | None:
    """Where it is: in this Python's own folder, on ``PATH``, or among the programs of an administrator."""
    return (
        shutil.which(name, path=Path(sys.executable).parent)
        or shutil.which(name)
        or shutil.which(name, path="/usr/sbin")
    )


def need(name: str) -> Path:
    """The path of a tool. With ``CI`` set, a missing one fails."""
    if found := tool(name):
        return Path(found)
    reason = f"{name} is not installed"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and in CI nothing is skipped")
    pytest.skip(reason)
