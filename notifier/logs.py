"""Log lines are structured: readable on a terminal, JSON objects where the operator wants them."""

from __future__ import annotations

import logging
import sys

import structlog

from notifier.settings import Settings


def quiet() -> None:
    """For a command that tells itself what went wrong: only what nobody expected."""
    _configure(logging.ERROR, as_json=False)


def configure(settings: Settings) -> None:
    """Send log lines to stderr. Secrets are SecretStr and show as stars wherever they are logged."""
    _configure(logging.getLevelNamesMapping()[settings.log_level.upper()], as_json=settings.log_json)


# The default shows the values of variables, and some of those are secrets.
_without_values = structlog.dev.plain_traceback


def _configure(level: int, *, as_json: bool) -> None:
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_without_values)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if as_json else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up at each line: stderr may have been replaced since.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    # APScheduler says at INFO when each job ran: a line every tick that tells nothing.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    # Its detectors say with a traceback that a mail lacks a header; another one reads it.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
