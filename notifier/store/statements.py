"""SQL is text with a name: the files in ``sql/``, read once.

A query file holds statements that each begin with ``-- name: word``; a schema file holds statements
divided by semicolons.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType


def _text(name: str) -> str:
    return (files("notifier.store") / "sql" / f"{name}.sql").read_text("utf-8")


@cache
def queries(name: str) -> Mapping[str, str]:
    """The named statements of ``sql/<name>.sql``."""
    pieces = re.split(r"^-- name: (\w+)\n", _text(name), flags=re.MULTILINE)[1:]
    return MappingProxyType({key: sql.strip() for key, sql in zip(pieces[::2], pieces[1::2], strict=True)})


def script(name: str) -> list[str]:
    """The statements of a schema file, in order."""
    return [statement.strip() for statement in _text(name).split(";\n") if statement.strip()]
