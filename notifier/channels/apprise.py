"""Apprise: Teams, Discord, Telegram, Matrix, ntfy and many more, by the addresses of the library of that name.

Its addresses hold tokens: no sentence, list or log repeats more of one than its beginning. Some of its services run
programs, read files or talk to whatever host they are given, so only those of ``SCHEMAS`` and of the operator's are
taken, with the options of ``OPTIONS``, and what it connects to has to be a public address. The library is the extra
``apprise``, imported at the first use; it is blocking, so it works in a thread.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import sys
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from notifier.channels.pace import Pace
from notifier.errors import Cause, ChannelStopped, Paced, Refused, TryLater, UsageError
from notifier.model import Message, Receipt
from notifier.network import Network, is_permitted, parse_networks

if TYPE_CHECKING:
    from apprise import NotifyBase

SCHEMAS = frozenset(
    {"discord", "gchat", "gotifys", "matrixs", "mmosts", "ntfy", "ntfys", "rockets", "tgram", "workflows", "zulip"}
)
"""Chats, encrypted; ``ntfy`` alone means ntfy.sh. ``workflows`` is Microsoft Teams."""

OPTIONS = frozenset(
    "avatar botname channel channels icon id image key mode preview priority routeid sig signature silent "  # noqa: SIM905
    "team thread threadkey to token topic user v ver version webhook workflow workspace".split()
)
"""What may stand behind the question mark. Not ``template`` and ``attach``, which read files here, ``verify``, which
trusts anybody, and ``rto``, ``cto`` and ``redirect``, which are ours to say."""

_SCHEMA = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30})://")
_LONGEST = 2_000
_MISSING = "Apprise needs more packages: pip install 'notifier[apprise]'."
_READ_SECONDS = 30.0
_EACH = timedelta(seconds=1)
_BURST = 3
_AT_ONCE = 4

for _name in ("apprise", "urllib3"):
    # Both write addresses with their tokens, at levels up to ERROR.
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


def checked(target: str, more: Collection[str] = ()) -> str:
    """``target`` if a digest may go there. Raises UsageError, which does not repeat it."""
    url = target.strip()
    found = _SCHEMA.match(url)
    if not found or len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError("The Apprise address is none: write the channel as apprise:discord://ID/TOKEN.")
    schema = found[1].lower()
    if schema not in SCHEMAS | set(more):
        known = ", ".join(sorted(SCHEMAS | set(more)))
        raise UsageError(f"Apprise's {schema}:// is not open here: use {known}, or have it added to apprise_schemas.")
    if strange := _options(url) - OPTIONS:
        # The names only: values may be keys.
        shown = ", ".join(sorted(re.sub(r"[^A-Za-z0-9_-]", "", name)[:30] for name in strange))
        raise UsageError(f"Apprise's option {shown} is not open here: leave it out.")
    try:
        known_by_library = _opened(url) is not None
    except ChannelStopped as error:
        raise UsageError(str(error)) from None
    if not known_by_library:
        raise UsageError(f"The Apprise address is not complete for {schema}://: see what its service needs.")
    return f"{schema}{url[len(schema) :]}"


def _options(url: str) -> set[str]:
    """The names of the options of an address, divided wherever the library may divide them."""
    _, _, query = url.partition("?")
    return {unquote(each.partition("=")[0]).strip().lower() for each in re.split(r"[?&;#]", query) if each}


class AppriseChannel:
    """Sends ``text`` messages, part after part; the channel of kind ``apprise``, whose target is an Apprise address.

    ``schemas`` are open beside ``SCHEMAS``, ``allow_networks`` may be connected to beside what is public. A target
    takes a message ``each`` so long, and short bursts. References are ``apprise:k``.
    """

    def __init__(
        self, *, schemas: Collection[str] = (), allow_networks: Iterable[str] = (), each: timedelta = _EACH
    ) -> None:
        self._schemas = frozenset(schemas)
        self._allowed = parse_networks(allow_networks)
        self._pace = Pace(each, burst=_BURST)

    @property
    def at_once(self) -> int:
        return _AT_ONCE

    def account(self, target: str) -> str:
        return ""

    async def send(self, message: Message) -> Receipt:
        accepted = list(message.accepted)
        try:
            for part in message.parts[len(accepted) :]:
                await self._post(message, part, first=not accepted)
                accepted.append(f"apprise:{len(accepted)}")
        except (TryLater, Refused, ChannelStopped) as error:
            error.accepted = tuple(accepted)
            raise
        return Receipt(accepted=tuple(accepted), detail=f"{_schema(message.target)} took it.")

    async def check(self) -> str:
        try:
            _library()
        except ChannelStopped as error:
            # Who does not use it need not install it.
            return str(error)
        return f"Apprise can be used with {', '.join(sorted(SCHEMAS | self._schemas))}."

    async def close(self) -> None:
        pass

    async def _post(self, message: Message, part: bytes, *, first: bool) -> None:
        target = message.target
        if wait := self._pace.take(target):
            raise Paced(f"{_schema(target)} gets one message a second; the rest follows.", retry_after=wait)
        _library()
        try:
            checked(target, self._schemas)
        except UsageError as error:
            raise Refused(str(error), cause=Cause.CHANNEL) from None
        # A title is what a phone shows; of a digest in several parts it stands over the first.
        await asyncio.to_thread(self._notify, target, message.subject if first else "", part.decode("utf-8"))

    def _notify(self, target: str, title: str, body: str) -> None:
        """Raises TryLater or Refused. The library tells only whether it was taken."""
        service = _opened(target)
        if service is None:
            raise Refused(f"{_schema(target)} cannot be used with this address.", cause=Cause.CHANNEL)
        service.socket_read_timeout = _READ_SECONDS
        with _guarded(self._allowed) as refused:
            taken = _told(service, title, body)
        if taken:
            return
        if refused:
            raise Refused(
                f"{_schema(target)} leads to {refused[0]}, which is not a public address: "
                "the operator can allow its network with allow_networks."
            )
        raise TryLater(f"{_schema(target)} did not take it; it is tried again later.")


def _told(service: NotifyBase, title: str, body: str) -> bool:
    try:
        return service.notify(body=body, title=title, body_format="text") is True
    except Exception as error:
        # Some of its services let what they did not expect through, with the address in its text.
        logging.getLogger(__name__).warning("Apprise failed with %s", type(error).__name__)
        return False


def _schema(target: str) -> str:
    found = _SCHEMA.match(target)
    return f"{found[1]}://…" if found else "the address"


def _library() -> Any:
    try:
        import apprise
    except ImportError:
        raise ChannelStopped(_MISSING) from None
    return apprise


def _opened(url: str) -> NotifyBase | None:
    """The service of an address, a new one each time: it keeps state and sleeps between two calls."""
    apprise = _library()
    asset = apprise.AppriseAsset(
        app_id="Notifier", app_desc="Notifier", app_url="", secure_logging=True, http_redirects=False
    )
    service: NotifyBase | None = apprise.Apprise.instantiate(url, asset=asset)
    return service


class _Guard(threading.local):
    """What this thread may connect to; None: it is none of ours."""

    allowed: tuple[Network, ...] | None = None
    refused: list[str]


_guard = _Guard()
_hooked = False


@contextmanager
def _guarded(allowed: tuple[Network, ...]) -> Iterator[list[str]]:
    """Within it, this thread connects to permitted addresses only; what was refused is in the list.

    The interpreter's own audit hook sees the address that is connected to, behind every name and redirect, whatever
    library connects.
    """
    global _hooked
    if not _hooked:
        sys.addaudithook(_audit)
        _hooked = True
    _guard.allowed, _guard.refused = allowed, []
    try:
        yield _guard.refused
    finally:
        _guard.allowed = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _guard.allowed is not None:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else address
        if not _is_permitted(host, _guard.allowed):
            _guard.refused.append(str(host))
            raise PermissionError("not a public address")


def _is_permitted(host: object, allowed: tuple[Network, ...]) -> bool:
    try:
        return is_permitted(str(ipaddress.ip_address(str(host).partition("%")[0])), allowed)
    except ValueError:
        # A name, or the path of a local socket.
        return False
