"""Ways in: a password, or a token that a command of the operator's prints."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Awaitable, Callable

import aiosmtplib
from pydantic import SecretStr

from notifier.clean import plain
from notifier.errors import ChannelStopped, Unreachable

Login = Callable[[aiosmtplib.SMTP], Awaitable[object]]

TOKEN_KEPT_SECONDS = 300.0
"""Services give access tokens for an hour; the command knows best when it needs a new one, so it is asked often."""
_COMMAND_SECONDS = 60.0


def with_password(username: str, password: SecretStr) -> Login:
    async def login(client: aiosmtplib.SMTP) -> object:
        return await client.login(username, password.get_secret_value())

    return login


class WithToken:
    """XOAUTH2 with the access token that ``command`` prints on its first line."""

    def __init__(self, username: str, command: str) -> None:
        self._username = username
        self._command = command
        self._kept: tuple[float, SecretStr] | None = None

    async def __call__(self, client: aiosmtplib.SMTP) -> object:
        token = await self._token()
        try:
            return await client.auth_xoauth2(self._username, token.get_secret_value())
        except aiosmtplib.SMTPException:
            # It may have been taken back before its time.
            self._kept = None
            raise

    async def _token(self) -> SecretStr:
        if self._kept and self._kept[0] > time.monotonic():
            return self._kept[1]
        token = await _printed_by(self._command)
        self._kept = (time.monotonic() + TOKEN_KEPT_SECONDS, token)
        return token


async def _printed_by(command: str) -> SecretStr:
    """Raises ChannelStopped where it cannot be run or fails; what it prints to stderr is told, stdout never."""
    try:
        process = await asyncio.create_subprocess_exec(
            *shlex.split(command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
    except (OSError, ValueError) as error:
        raise ChannelStopped(f"smtp_token_command cannot be run: {plain(str(error), limit=200)}.") from None
    try:
        printed, complaint = await asyncio.wait_for(process.communicate(), _COMMAND_SECONDS)
    except TimeoutError:
        raise Unreachable("smtp_token_command did not end within a minute; it is tried again later.") from None
    finally:
        if process.returncode is None:
            process.kill()
    token = printed.decode("ascii", "replace").partition("\n")[0].strip()
    if process.returncode or not token:
        said = plain(complaint.decode("utf-8", "replace").strip(), limit=200)
        ended = f"ended with {process.returncode}" if process.returncode else "printed no token"
        raise ChannelStopped(f"smtp_token_command {ended}{f': {said}' if said else ''}. Run it by hand and mend it.")
    return SecretStr(token)
