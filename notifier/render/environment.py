"""Jinja2, set up once per kind of text and language; the operator's folder is looked at first.

Overrides run in Jinja's sandbox. A fault in one is a TemplateError that names its file and line; a fault in a bundled
template is our bug and flies.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.exceptions import TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifier import resources
from notifier.errors import TemplateError
from notifier.render.catalog import Catalog
from notifier.render.inlining import inline
from notifier.render.mrkdwn import escape, link, strong
from notifier.render.text import wrap

STYLES = "email/styles.css"


class Kind(StrEnum):
    HTML = "html"
    """A mail: its style sheet is put onto the elements."""
    PAGE = "page"
    TEXT = "text"
    MRKDWN = "mrkdwn"


def environment(
    kind: Kind, catalog: Catalog, overrides: Path | None, *, wrapper: Callable[[str, str], str] = wrap
) -> Environment:
    """``catalog`` decides the language of ``{% trans %}``; in mrkdwn every value is escaped as Slack asks."""
    make = ImmutableSandboxedEnvironment if overrides else Environment
    files = _files(overrides)
    made = make(
        loader=_Inlining(files) if kind is Kind.HTML else files,
        autoescape=kind in (Kind.HTML, Kind.PAGE),
        finalize=escape if kind is Kind.MRKDWN else None,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.filters.update({"wrap": wrapper} if kind is Kind.TEXT else {})
    made.filters.update({"link": link, "strong": strong} if kind is Kind.MRKDWN else {})
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(catalog.translations, newstyle=True)  # type: ignore[attr-defined]
    return made


def rendered(environment: Environment, name: str, overrides: Path | None, **context: object) -> str:
    """Render template ``name``. Raises TemplateError where a template of the operator's is at fault."""
    try:
        return environment.get_template(name).render(**context)
    except Exception as error:
        place = _place(error, overrides)
        if place is None:
            raise
        message = f"The template {place} does not render: {_said(error)}. Mend it, or remove it to use the bundled one."
        raise TemplateError(message) from error


class _Inlining(BaseLoader):
    """Hands out templates with the style sheet already on their elements."""

    def __init__(self, files: BaseLoader) -> None:
        self._files = files

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        source, file, current = self._files.get_source(environment, template)
        environment.parse(source, template, file)  # a syntax error names its line before anything is moved
        css, _, _ = self._files.get_source(environment, STYLES)
        return inline(source, css), file, current


def _files(overrides: Path | None) -> ChoiceLoader:
    folders = [folder for folder in (overrides, resources.folder("templates")) if folder]
    return ChoiceLoader([FileSystemLoader(folder) for folder in folders])


def _place(error: Exception, overrides: Path | None) -> str | None:
    """File and line of the operator's template that ``error`` comes from, if it does."""
    if overrides is None:
        return None
    if isinstance(error, TemplateSyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}," if _within(error.filename, overrides) else None
    if isinstance(error, UnicodeDecodeError):
        return f"in {overrides} (it has to be UTF-8)"
    frames = [each for each in traceback.extract_tb(error.__traceback__) if _within(each.filename, overrides)]
    return f"{frames[-1].filename}, line {frames[-1].lineno}," if frames else None


def _within(filename: str, folder: Path) -> bool:
    return Path(filename).resolve().is_relative_to(folder.resolve())


def _said(error: Exception) -> str:
    said: Any = error.message if isinstance(error, JinjaError) else str(error)
    return str(said or type(error).__name__).rstrip(".")
