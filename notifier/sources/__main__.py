"""``python -m notifier.sources``: the process apart that feeds are parsed in. ``apart`` starts and ends it."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import IO

from notifier.sources.apart import OUT_OF_MEMORY, read_message, write_message
from notifier.sources.feed_worker import answer

_MAX_JOBS = 200
_LONGEST_BODY = 2**31


def serve(jobs: IO[bytes], answers: IO[bytes], *, cpu_seconds: int, memory: int) -> None:
    """Answer jobs until the stream ends, or enough of them have left their traces in our memory."""
    bound_memory(memory)
    for _ in range(_MAX_JOBS):
        head = read_message(jobs)
        body = read_message(jobs, _LONGEST_BODY) if head is not None else None
        if head is None or body is None:
            return
        bound_time(cpu_seconds)
        write_message(answers, answer(head, body))
        answers.flush()


def bound_memory(limit: int) -> None:
    # Not on Windows; and not every system knows every limit: the near side's clock is the bound that always holds.
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def bound_time(seconds: int) -> None:
    """So many seconds of processor time from now; the process dies of SIGXCPU behind them."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + seconds, hard))


if __name__ == "__main__":
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer, cpu_seconds=int(sys.argv[1]), memory=int(sys.argv[2]))
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)
    except BrokenPipeError:
        # Nobody waits for the answer any more; Python would complain once more when it flushes at its end.
        os._exit(0)
