"""Print what pyproject.toml asks for, a line each: the program's own needs with those of the extras that
are named, or with ``build`` alone what building it needs. Versions and hashes come from requirements.lock:

    python deploy/requirements.py slack > run.txt
    pip install --require-hashes -r run.txt -c requirements.lock
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path


def wanted(extras: Sequence[str], pyproject: Path) -> list[str]:
    data = tomllib.loads(pyproject.read_text("utf-8"))
    if list(extras) == ["build"]:
        return [str(each) for each in data["build-system"]["requires"]]
    project = data["project"]
    return [*project["dependencies"], *(each for name in extras for each in project["optional-dependencies"][name])]


if __name__ == "__main__":
    sys.stdout.write("\n".join(wanted(sys.argv[1:], Path("pyproject.toml"))) + "\n")
