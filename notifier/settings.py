"""Everything an operator can set, from (strongest first) the environment, ``.env`` and a TOML file.

``NOTIFIER_SMTP_HOST`` in the environment is ``smtp_host`` in ``notifier.toml``. The file is the one named by
``NOTIFIER_CONFIG``, else ``notifier.toml`` in the data folder. Descriptions below are the documentation: the
README's table and the commented file that ``notifier init`` writes are made from them.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import platformdirs
from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import TomlConfigSettingsSource

PREFIX = "NOTIFIER_"


class Security(StrEnum):
    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Language(StrEnum):
    EN = "en"
    DE = "de"


def duration(text: str) -> timedelta | None:
    """``90s``, ``15m``, ``1h`` or ``7d``; None for anything else."""
    found = re.fullmatch(r"(\d{1,6}) ?([smhd])", text.strip())
    return timedelta(seconds=int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]) if found else None


def written(span: timedelta) -> str:
    """What ``duration`` reads, in the largest unit that divides it."""
    seconds = int(span.total_seconds())
    unit, size = next(pair for pair in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)) if seconds % pair[1] == 0)
    return f"{seconds // size}{unit}"


def _duration(value: object) -> object:
    """Pydantic itself reads only seconds and ISO 8601."""
    span = duration(value) if isinstance(value, str) else None
    return value if span is None else span


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta(0))]
Pause = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]


def _hosts(text: str) -> list[tuple[str, int | None]]:
    """Names divided by commas, each with a port behind a colon or None; port 0 where it is no number."""
    found = []
    for each in filter(None, (part.strip() for part in text.split(","))):
        bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::(.*))?", each)
        # A bare address of IP version 6 has colons of its own.
        host, port = bracketed.groups() if bracketed else (each, None) if each.count(":") > 1 else _divided(each)
        found.append((host, None if port is None else int(port) if re.fullmatch(r"\d{1,5}", port) else 0))
    return found


def _divided(text: str) -> tuple[str, str | None]:
    host, colon, port = text.partition(":")
    return host, port if colon else None


class AfterUnknown(StrEnum):
    RESEND = "resend"
    HOLD = "hold"


def default_data_dir() -> Path:
    return Path(platformdirs.user_data_dir("notifier", appauthor=False))


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        extra="forbid",
        frozen=True,
        env_ignore_empty=True,
    )

    data_dir: Path = Field(default_factory=default_data_dir, description="Folder of the database and the outbox.")
    base_url: str = Field(
        "",
        description="Public address of the web pages, such as https://papers.example.org. Empty: mails link to none.",
    )
    secret_key: SecretStr = Field(
        SecretStr(""), description="Signs the links in mails. Default: made once and kept in the data folder."
    )
    old_secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Keys that secret_key has replaced, comma-separated: links of old mails live on."
    )
    contact: str = Field("", description="Address of the operator: in the User-Agent, and for unsubscribe mails.")
    look_back: Duration = Field(
        timedelta(days=7), description="How far back a first digest reaches, and how long growing votes are watched."
    )
    default_timezone: str = Field("UTC", description="IANA zone of a new subscriber who names none.")
    default_language: Language = Field(Language.EN, description="Language of a new subscriber who names none.")
    max_entries: int = Field(
        20, ge=1, le=200, description="Entries a digest shows in full, where a subscription sets none."
    )

    mail_from: str = Field("", description='Sender of the mails, such as "Papers <papers@example.org>".')
    smtp_host: str = Field(
        "",
        description="Mail server; several, such as mx1.example.org, mx2.example.org:2525, stand in for each other "
        "in that order. Empty: mails go to the outbox folder.",
    )
    smtp_port: int | None = Field(None, ge=1, le=65535, description="Default: 587, 465 with tls, 25 with none.")
    smtp_security: Security = Field(Security.STARTTLS, description="starttls, tls (from the first byte) or none.")
    smtp_username: str = Field("", description="Login name. Empty: no login.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Its password.")
    smtp_token_command: str = Field(
        "", description="Prints an OAuth access token for smtp_username, used instead of a password (XOAUTH2)."
    )
    smtp_connections: int = Field(4, ge=1, le=100, description="Connections to one mail server at the same time.")
    smtp_rate: float = Field(0, ge=0, description="Mails a second, all told, such as 14 or 0.5. 0: no limit.")
    smtp_domain_rate: float = Field(0, ge=0, description="Mails a second to one domain of recipients. 0: no limit.")
    smtp_domain_connections: int = Field(
        0, ge=0, description="Mails on their way to one domain of recipients at the same time. 0: no limit."
    )
    smtp_timeout: Duration = Field(
        timedelta(seconds=60), description="Longest wait for a reply; after DATA it is 600 s."
    )

    dkim_domain: str = Field("", description="The domain that mails are signed for (DKIM): that of mail_from.")
    dkim_keys: dict[str, Path] = Field(
        {}, description="Files of private keys (PEM, RSA or Ed25519) by selector; mails get a signature for each."
    )

    mail_threads: bool = Field(
        False, description="Whether mail programs show the digests of a subscription as one conversation."
    )

    bounce_address: str = Field(
        "", description="Where undeliverable mail comes back to, such as bounces@example.org; needs bounces+…@, too."
    )
    bounce_maildir: Path | None = Field(None, description="A Maildir of that mail, read by serve every minute.")
    imap_host: str = Field("", description="An IMAP server with that mail, read by serve every minute.")
    imap_port: int | None = Field(None, ge=1, le=65535, description="Default: 993, 143 with starttls or none.")
    imap_security: Security = Field(Security.TLS, description="tls (from the first byte), starttls or none.")
    imap_username: str = Field("", description="Login name.")
    imap_password: SecretStr = Field(SecretStr(""), description="Its password.")
    imap_token_command: str = Field(
        "", description="Prints an OAuth access token for imap_username, used instead of a password (XOAUTH2)."
    )
    imap_folder: str = Field("INBOX", description="The folder that mail is in. Mail for Notifier is marked as seen.")

    slack_token: SecretStr = Field(SecretStr(""), description="Bot token (xoxb-…) with chat:write. Empty: no Slack.")
    slack_tokens: dict[str, SecretStr] = Field(
        {}, description="Bot tokens of more workspaces by a name of yours; with lab, channel slack:lab/#papers."
    )
    slack_webhook: SecretStr = Field(SecretStr(""), description="Incoming webhook; reached as channel slack:webhook.")
    slack_app_token: SecretStr = Field(
        SecretStr(""), description="App token (xapp-…) with connections:write: Slack is answered over a socket."
    )
    slack_signing_secret: SecretStr = Field(
        SecretStr(""), description="Signs what Slack sends to base_url + /slack/events; instead of slack_app_token."
    )
    slack_client_id: str = Field("", description="With slack_client_secret: others install the app at /slack/install.")
    slack_client_secret: SecretStr = Field(SecretStr(""), description="Of the Slack app, for its installing.")
    slack_friday: bool = Field(False, description="Post each Friday what was saved from a channel's digests.")
    slack_threads: bool = Field(False, description="Post papers into the thread of a short first message.")
    slack_api_url: str = Field("https://slack.com/api/", description="Base address of Slack's Web API.")

    web_host: str = Field("127.0.0.1", description="Address that the web pages listen on; 0.0.0.0 for all.")
    web_port: int = Field(8000, ge=1, le=65535, description="Port of the web pages.")
    web_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Names that the pages answer to besides that of base_url, comma-separated."
    )
    oidc_issuer: str = Field(
        "", description="Identity provider (OpenID Connect) that people may log in by, such as https://id.example.org."
    )
    oidc_client_id: str = Field("", description="What that provider calls these pages; their address is …/sso/back.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="The secret that it gave them.")
    oidc_name: str = Field("single sign-on", description="What the button to log in by it says.")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Networks of proxies whose X-Forwarded-For is believed, comma-separated."
    )
    apprise_schemas: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Kinds of Apprise's addresses to open beside the bundled ones, such as pover, comma-separated."
    )

    outbox_dir: Path | None = Field(
        None, description="Where the outbox channel writes. Default: outbox/ in the data folder."
    )
    feeds_dir: Path | None = Field(
        None, description="Where each subscription's digests are kept as Atom and JSON feeds. Empty: nowhere."
    )
    templates_dir: Path | None = Field(None, description="Your own templates; a file here replaces the bundled one.")
    ai_summaries: bool = Field(
        False, description="Show the summaries that Hugging Face's machine writes, marked as such."
    )
    thumbnails: bool = Field(
        False, description="Show thumbnails on the pages; readers' browsers fetch them from Hugging Face."
    )
    topics_dir: Path | None = Field(
        None, description="Your own topics; a file here adds to or replaces the bundled ones."
    )
    packs_dir: Path | None = Field(
        None, description="Your own packs; a file here adds to or replaces the bundled ones."
    )

    fetch_timeout: Duration = Field(timedelta(seconds=30), description="Deadline of one request to a source, all told.")
    fetch_max_bytes: int = Field(15 * 1024 * 1024, ge=1024, description="Largest body of a source, decompressed.")
    host_pause: Pause = Field(timedelta(seconds=1), description="Shortest time between two requests to one host.")
    allow_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Private networks that feeds may be read from and webhooks posted to, such as 10.1.0.0/16, "
        "comma-separated.",
    )

    operators: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Addresses of subscribers who see the operator's pages, comma-separated."
    )
    metrics_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Networks that may read /metrics without a token, such as 10.0.0.0/8, comma-separated.",
    )

    tick: Duration = Field(timedelta(seconds=20), description="How often `serve` looks whether something is due.")
    give_up_after: Duration = Field(
        timedelta(hours=108), description="How long a receiver may put off a delivery before it has failed for good."
    )
    after_unknown: AfterUnknown = Field(
        AfterUnknown.RESEND,
        description="When the line broke where nobody can know whether a message was taken: resend or hold.",
    )
    lease: Duration = Field(timedelta(minutes=15), description="How long one process may hold a delivery.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error.")
    log_json: bool = Field(False, description="Log lines as JSON objects.")

    @field_validator(
        "allow_networks",
        "operators",
        "metrics_networks",
        "old_secret_keys",
        "web_hosts",
        "trusted_proxies",
        "apprise_schemas",
        mode="before",
    )
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("operators")
    @classmethod
    def _lower_case(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(address.lower() for address in value)

    @field_validator("metrics_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                ip_network(each)
            except ValueError:
                raise ValueError(f"'{each}' is no network: write it like 10.0.0.0/8") from None
        return value

    @field_validator("default_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"'{value}' is no IANA time zone, such as Europe/Berlin") from None
        return value

    @field_validator("base_url")
    @classmethod
    def _http_address(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("it has to start with https:// or http://")
        return value.rstrip("/")

    @field_validator("smtp_host")
    @classmethod
    def _hosts_with_ports(cls, value: str) -> str:
        for host, port in _hosts(value):
            if not host or (port is not None and not 1 <= port <= 65535):
                raise ValueError(f"'{value}' names no mail server: write it like mx1.example.org, mx2.example.org:2525")
        return value

    @property
    def web_url(self) -> str:
        """Where the pages are for people: the public address, else that of this machine."""
        host = f"[{self.web_host}]" if ":" in self.web_host else self.web_host
        return self.base_url or f"http://{host}:{self.web_port}"

    @property
    def mail_servers(self) -> list[tuple[str, int | None]]:
        """Each with the port it names itself."""
        return _hosts(self.smtp_host)

    @property
    def has_slack(self) -> bool:
        tokens = (self.slack_token, self.slack_webhook, self.slack_client_secret, *self.slack_tokens.values())
        return any(each.get_secret_value() for each in tokens)

    @property
    def answers_slack(self) -> bool:
        return any(each.get_secret_value() for each in (self.slack_app_token, self.slack_signing_secret))

    @property
    def database(self) -> Path:
        return self.data_dir / "notifier.db"

    @property
    def outbox(self) -> Path:
        return self.outbox_dir or self.data_dir / "outbox"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = cls.model_config.get("toml_file")
        toml = (TomlConfigSettingsSource(settings_cls),) if file else ()
        return (init_settings, env_settings, _OwnOnly(settings_cls, dotenv_settings), *toml)


class _OwnOnly(PydanticBaseSettingsSource):
    """A ``.env`` is shared by many programs: what does not begin with our prefix is none of ours."""

    def __init__(self, settings_cls: type[BaseSettings], inner: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._inner = inner

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._inner.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        ours = self.settings_cls.model_fields.keys()
        found = self._inner()
        return {name: value for name, value in found.items() if name in ours or name.startswith(PREFIX.lower())}
