"""Runs every ``bench_*.py`` or ``torture_*.py`` of a folder: ``python -m tests.bench [NAME…]``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path


def run_all(package: str, prefix: str, names: Sequence[str] = ()) -> int:
    """Call ``main()`` of each module (only of those named, without the prefix); the worst exit code of all.

    A main returns None or 0 when all is well, another number when it is not.
    """
    folder = Path(import_module(package).__path__[0])
    found = sorted(path.stem for path in folder.glob(f"{prefix}*.py"))
    wanted = [module for module in found if not names or module.removeprefix(prefix) in names]
    if unknown := set(names) - {module.removeprefix(prefix) for module in found}:
        sys.exit(f"There is no {prefix}{sorted(unknown)[0]}.py in {folder}.")
    worst = 0
    for module in wanted:
        print(f"== {module}", flush=True)
        worst = max(worst, import_module(f"{package}.{module}").main() or 0)
    return worst
