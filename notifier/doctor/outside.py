"""What is beyond this machine: pages as others see them, channels, mailboxes, published keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlsplit

from notifier.app import App
from notifier.channels import open_channels
from notifier.doctor.finding import Finding, Level
from notifier.errors import NotifierError
from notifier.mailboxes import open_mailboxes
from notifier.settings import Settings


def looked_up(name: str) -> str | None:
    """A TXT record. Raises OSError or what dkimpy raises where no name server answers."""
    from dkim.dnsplug import get_txt

    found = get_txt(name.encode("ascii"), timeout=5)
    return found.decode("ascii", "replace") if found else None


def pages(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    if not url:
        hint = "No base_url is set: mails link to no page. Set it to the public address of the pages."
        yield Finding(topic="pages", level=Level.HINT, text=hint)
    elif parts.path:
        text = f"base_url {url} names a path: the pages need a host of their own."
        yield Finding(topic="pages", level=Level.WRONG, text=text)
    elif parts.scheme != "https":
        hint = f"Links lead to {url}, where anybody on the way can read along: put https in front and into base_url."
        yield Finding(topic="pages", level=Level.HINT, text=hint)
    else:
        yield Finding(topic="pages", level=Level.OK, text=f"Links in mails lead to {url}.")


async def channels(app: App) -> AsyncIterator[Finding]:
    settings = app.settings
    unset = {
        "email": None if settings.smtp_host else "No mail server: set smtp_host; until then mails go to the outbox.",
        "slack": None if settings.has_slack else "No Slack: set slack_token; until then its messages go to the outbox.",
    }
    for kind, channel in open_channels(settings).items():
        if hint := unset.get(kind):
            yield Finding(topic=kind, level=Level.HINT, text=hint)
            continue
        try:
            yield Finding(topic=kind, level=Level.OK, text=await channel.check())
        except NotifierError as error:
            yield Finding(topic=kind, level=Level.WRONG, text=str(error))
        finally:
            await channel.close()


def inside_slack(settings: Settings) -> Iterator[Finding]:
    """How people are answered there; nothing where they are not."""
    roads = [
        "over a socket" if settings.slack_app_token.get_secret_value() else "",
        f"at {settings.web_url}/slack/events" if settings.slack_signing_secret.get_secret_value() else "",
    ]
    if any(roads):
        text = f"/papers is answered {' and '.join(filter(None, roads))}, while 'notifier serve' runs."
        yield Finding(topic="slack", level=Level.OK, text=text)
    if bool(settings.slack_client_id) != bool(settings.slack_client_secret.get_secret_value()):
        text = "slack_client_id and slack_client_secret belong together: set both to let others install the app."
        yield Finding(topic="slack", level=Level.WRONG, text=text)
    elif settings.slack_client_id and not (settings.base_url and roads[1]):
        text = "Others cannot install the app: slack_client_id needs base_url and slack_signing_secret as well."
        yield Finding(topic="slack", level=Level.WRONG, text=text)


def mailboxes(app: App) -> Iterator[Finding]:
    for box in open_mailboxes(app.settings):
        try:
            yield Finding(topic="bounces", level=Level.OK, text=box.check())
        except NotifierError as error:
            yield Finding(topic="bounces", level=Level.WRONG, text=str(error))


def dkim(app: App, look_up: Callable[[str], str | None]) -> Iterator[Finding]:
    try:
        signers = app.dkim.signers
    except NotifierError as error:
        yield Finding(topic="dkim", level=Level.WRONG, text=str(error))
        return
    for each in signers:
        name, record = each.record
        try:
            found = look_up(name)
        except Exception as error:
            text = f"Whether {name} is published could not be looked up ({type(error).__name__}); it has to be {record}"
            yield Finding(topic="dkim", level=Level.HINT, text=text)
            continue
        if _public_key(found) == _public_key(record):
            yield Finding(topic="dkim", level=Level.OK, text=f"Mails are signed, and {name} has the key.")
        else:
            text = f"{'Another key' if found else 'No key'} is published: make {name} a TXT record of {record}"
            yield Finding(topic="dkim", level=Level.WRONG, text=text)
    from_domain = app.links.domain
    if signers and not f".{from_domain}".endswith(f".{signers[0].domain}"):
        text = f"Mails come from {from_domain} and are signed for {signers[0].domain}: receivers want these to agree."
        yield Finding(topic="dkim", level=Level.WRONG, text=text)


def _public_key(record: str | None) -> str | None:
    tags = dict(tag.strip().partition("=")[::2] for tag in (record or "").split(";"))
    return "".join(tags["p"].split()) if "p" in tags else None
