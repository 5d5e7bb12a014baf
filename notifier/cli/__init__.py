"""The shell's verbs. Exit codes: 0 done, 1 something failed for good, 2 wrong usage."""

from __future__ import annotations

import sys

import typer
from typer.exceptions import TyperException

from notifier.cli import (
    bounces,
    deliveries,
    letters,
    packs,
    pages,
    people,
    reading,
    rulefile,
    rules,
    running,
    sources,
    subscriptions,
    tokens,
    topics,
    trying,
)
from notifier.cli.base import group, warn
from notifier.errors import NotifierError

app = group("New papers, matched against your own rules, sent at the hour you chose.")
for room in (
    running,
    pages,
    sources,
    people,
    subscriptions,
    rules,
    trying,
    rulefile,
    packs,
    topics,
    reading,
    deliveries,
    letters,
    bounces,
    tokens,
):
    room.register(app)


def main() -> None:
    """The ``notifier`` command. Every expected error is one sentence on stderr."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    try:
        code = app(arguments, prog_name="notifier", standalone_mode=False)
    except NotifierError as error:
        warn(str(error))
        return error.exit_code
    except TyperException as error:
        warn(_usage(error))
        return 2
    except (KeyboardInterrupt, typer.Abort):
        warn("Stopped.")
        return 130
    except BrokenPipeError:
        # The reader of our pipe (head, say) has what it wanted.
        sys.stderr.close()
        return 0
    return code if isinstance(code, int) else 0


def _usage(error: TyperException) -> str:
    hint = " See 'notifier --help'." if "command" in error.format_message() else ""
    dash = (
        " An argument that begins with a dash stands behind '--'." if "No such option" in error.format_message() else ""
    )
    return f"{error.format_message().rstrip('.')}.{hint}{dash}"
