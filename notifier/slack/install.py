"""Installing the app in a workspace: OAuth 2.0 as Slack has it (docs.slack.dev, Installing with OAuth).

The state is a random word that goes out twice, in the address and in a cookie, signed with the hour it ends: who comes
back with another one did not begin here.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from urllib.parse import urlencode

from pydantic import SecretStr

from notifier.app import Clock
from notifier.channels.slack_client import SlackClient, field
from notifier.clean import plain
from notifier.errors import SendError, UsageError
from notifier.model import Workspace
from notifier.slack.workspaces import Workspaces
from notifier.tokens import Keys, fresh, sign, signed

STATE_LASTS = timedelta(minutes=10)
SCOPES = (
    *("chat:write", "commands", "im:write", "im:history", "links:read", "links:write", "reactions:read"),
    *("channels:read", "channels:history", "groups:read", "groups:history", "users:read", "users:read.email"),
)
_AUTHORIZE = "https://slack.com/oauth/v2/authorize"
_PURPOSE = "slack install"


class Installer:
    def __init__(
        self,
        client_id: str,
        client_secret: SecretStr,
        *,
        base_url: str,
        keys: Keys,
        client: SlackClient,
        workspaces: Workspaces,
        clock: Clock,
    ) -> None:
        self._id, self._secret = client_id, client_secret
        self._redirect = f"{base_url}/slack/oauth"
        self._keys = keys
        self._client = client
        self._workspaces = workspaces
        self._clock = clock
        self.is_https = base_url.startswith("https://")

    def begin(self) -> tuple[str, str]:
        """A fresh state, and the address at Slack's to go to with it."""
        ends = int((self._clock() + STATE_LASTS).timestamp())
        state = sign(self._keys, _PURPOSE, f"{fresh()}~{ends}")
        wanted = {"client_id": self._id, "scope": ",".join(SCOPES), "redirect_uri": self._redirect, "state": state}
        return state, f"{_AUTHORIZE}?{urlencode(wanted)}"

    async def finish(self, code: str, state: str, cookie: str) -> Workspace:
        """Take the workspace in that the code is for. Raises UsageError, or SendError where Slack refuses."""
        self._demand(state, cookie)
        try:
            data = await self._client.exchange(
                self._id, self._secret.get_secret_value(), code=code, redirect_uri=self._redirect
            )
        except SendError as error:
            raise UsageError(f"{error} Begin again at /slack/install.") from None
        if data.get("token_type") != "bot" or data.get("is_enterprise_install") is True:
            raise UsageError("Install it in one workspace, with a bot: nothing was kept of this one.")
        team = field(data, "team", "id")
        workspace = Workspace(
            team=team,
            name=plain(str(data.get("team", {}).get("name") or team), limit=100),
            token_name=team.lower(),
            bot_user=field(data, "bot_user_id"),
            installed_at=self._clock(),
        )
        return await self._workspaces.install(workspace, SecretStr(field(data, "access_token")), self._client)

    def _demand(self, state: str, cookie: str) -> None:
        value = signed(self._keys, _PURPOSE, state)
        ends = (value or "").rpartition("~")[2]
        is_ours = hmac.compare_digest(state.encode(), cookie.encode())
        if value is None or not is_ours or not ends.isdecimal() or int(ends) < self._clock().timestamp():
            raise UsageError("This was not begun here, or too long ago: begin again at /slack/install.")
