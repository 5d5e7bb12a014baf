"""Pages from templates, in the reader's language; and the files they refer to."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment

from notifier import resources
from notifier.render import Catalog, Kind, environment, load, rendered

TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A script, a style or a picture; ``version`` changes with its bytes."""

    content: bytes
    compressed: bytes
    type: str
    version: str


class Pages:
    """``overrides`` is the operator's own template folder."""

    def __init__(self, overrides: Path | None) -> None:
        self._overrides = overrides
        self._environment = lru_cache(16)(self._make)
        self.catalog = lru_cache(16)(self._catalog)
        self.files = _files(overrides)

    def render(self, name: str, reader: str, **context: object) -> str:
        """``reader`` is the language of who reads it."""
        return rendered(self._environment(reader), name, self._overrides, **context)

    def _catalog(self, language: str) -> Catalog:
        return load(language, self._overrides)

    def _make(self, language: str) -> Environment:
        made = environment(Kind.PAGE, self.catalog(language), self._overrides)
        made.globals["static"] = cache(self._static)
        return made

    def _static(self, name: str) -> str:
        return f"/static/{name}?{self.files[name].version}"


def _files(overrides: Path | None) -> dict[str, File]:
    folders = [folder / "web" / "static" for folder in (resources.folder("templates"), overrides) if folder]
    found = {
        path.relative_to(folder).as_posix(): path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix in TYPES
    }
    return {name: _file(path) for name, path in found.items()}


def _file(path: Path) -> File:
    content = path.read_bytes()
    return File(
        content=content,
        compressed=gzip.compress(content, 9, mtime=0),
        type=TYPES[path.suffix],
        version=sha256(content).hexdigest()[:12],
    )
