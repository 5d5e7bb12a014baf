"""Outside tools that a test needs: skipped where they are missing, but not in CI."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest


def need(tool: str) -> Path:
    """The path of ``tool``, from this Python's own folder or ``PATH``. With ``CI`` set, a missing one fails."""
    found = shutil.which(tool, path=Path(sys.executable).parent) or shutil.which(tool)
    if found:
        return Path(found)
    reason = f"{tool} is not installed"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and in CI nothing is skipped")
    pytest.skip(reason)
