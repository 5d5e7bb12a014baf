"""Log lines are structured: readable on a terminal, JSON objects where the operator wants them."""

from __future__ import annotations

import logging
import sys

import structlog

from notifier.settings import Settings


def configure(settings: Settings) -> None:
    """Send log lines to stderr. Secrets are SecretStr and show as stars wherever they are logged."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if settings.log_json else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # APScheduler says at INFO when each job ran: a line every tick that tells nothing.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
