"""Addresses that messages carry: of the web pages, where there are any, and of the operator."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from functools import lru_cache
from urllib.parse import quote

from notifier.bounce import marked
from notifier.consent import CONFIRM
from notifier.render.text import domain_ascii, plain, web_url
from notifier.tokens import NO_KEYS, UNSUBSCRIBE, Keys, sign

_UNUSUAL = re.compile(r"[^A-Za-z0-9-]")
DEFAULT_SENDER = "notifier@localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Built from the configured base URL only. An empty ``base_url`` means that no web pages answer.

    ``sender`` is the From of the mails (``Papers <papers@example.org>``), ``contact`` the operator's address,
    which takes unsubscribe mails; ``keys`` sign the one-click link: without one there is no such link. To
    ``bounce_address``, with a signed mark of the delivery, comes back what cannot be delivered; empty: to ``sender``.
    """

    base_url: str = ""
    sender: str = ""
    contact: str = ""
    bounce_address: str = ""
    keys: Keys = NO_KEYS

    @property
    def sender_name(self) -> str:
        return _parsed(self.sender)[0] or "Notifier"

    @property
    def sender_address(self) -> str:
        return _parsed(self.sender)[1] or DEFAULT_SENDER

    @property
    def domain(self) -> str:
        return self.sender_address.rpartition("@")[2]

    def return_path(self, delivery_id: str) -> str:
        """The envelope sender of a delivery's mail."""
        address = _parsed(self.bounce_address)[1]
        if not (address and self.keys):
            return self.sender_address
        return marked(address, delivery_id, self.keys)

    def message_id(self, delivery_id: str, slot: str) -> str:
        """Of a digest's mail, the same at every attempt; ``slot`` is the slot's key."""
        return f"<{delivery_id}.{_UNUSUAL.sub('', slot)}@{self.domain}>"

    def conversation(self, subscription_id: str) -> str:
        """What all digests of a subscription refer to, so that they stay together when one is deleted."""
        return f"<{subscription_id}.digests@{self.domain}>"

    def rules(self, subscription_id: str) -> str | None:
        return self._page("s", subscription_id)

    def pause(self, subscription_id: str) -> str | None:
        page = self._page("s", subscription_id)
        return f"{page}/pause" if page else None

    def delivery(self, delivery_id: str) -> str | None:
        return self._page("d", delivery_id)

    def unsubscribe(self, subscription_id: str) -> str | None:
        """The page that RFC 8058's one-click POST goes to; its token can do nothing but unsubscribe."""
        if not self.keys:
            return None
        return self._page("u", _unsubscribe_token(self.keys, subscription_id))

    def confirm_address(self, question_id: str) -> str | None:
        """The page on which the owner of an address says that it may be used again."""
        return self._page("a", sign(self.keys, CONFIRM, question_id)) if self.keys else None

    def unsubscribe_mail(self, subscription_id: str) -> str:
        """A mailto link: to an address that ``incoming`` reads, else to the operator, with the subscription's id."""
        if (bounces := _parsed(self.bounce_address)[1]) and self.keys:
            return f"mailto:{quote(marked(bounces, subscription_id, self.keys), safe='@+')}?subject=unsubscribe"
        address = _parsed(self.contact)[1] or self.sender_address
        return f"mailto:{quote(address, safe='@+')}?subject=unsubscribe%20{quote(subscription_id, safe='')}"

    def _page(self, kind: str, name: str) -> str | None:
        base = _base(self.base_url)
        return f"{base}/{kind}/{quote(name, safe='.')}" if base else None


# A mail has it in a header and at its end.
@lru_cache(64)
def _unsubscribe_token(keys: Keys, subscription_id: str) -> str:
    return sign(keys, UNSUBSCRIBE, subscription_id)


@lru_cache(64)
def _base(url: str) -> str | None:
    return web_url(url.rstrip("/"))


@lru_cache(64)
def _parsed(address: str) -> tuple[str, str]:
    """Name and mailbox, each empty where it is none."""
    name, box = parseaddr(address)
    return plain(name, 80), mailbox(box)


def mailbox(address: str) -> str:
    """``address`` with its domain in punycode; empty if it could break out of a header or is no address."""
    local, at, domain = address.strip().rpartition("@")
    host = domain_ascii(domain)
    if not at or not local or not host or plain(address, len(address) + 1) != address.strip():
        return ""
    return "" if any(each in f"{local}{host}" for each in ' \t"<>(),;:\\[]') else f"{local}@{host}"
