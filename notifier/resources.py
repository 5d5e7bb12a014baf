"""Where ``templates/`` and ``rules/`` lie: inside the package in a wheel, beside it in a clone.

An editable install runs from the clone, so the second place serves it too; a wheel built from an sdist
carries them inside (see ``force-include`` in pyproject.toml).
"""

from __future__ import annotations

from pathlib import Path

from notifier.errors import NotifierError

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The bundled folder ``name`` (``templates`` or ``rules``)."""
    for place in (_PACKAGE / "_resources" / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise NotifierError(f"The folder '{name}' that comes with Notifier is missing: install it again.")
