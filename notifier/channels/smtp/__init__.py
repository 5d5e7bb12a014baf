"""SMTP as a client: the wire, one kept connection, and a relay with a few of them."""

from notifier.channels.smtp.connection import LAST_REPLY, Connection, Envelope, Server
from notifier.channels.smtp.domains import Domains, Rates
from notifier.channels.smtp.relay import Relay

__all__ = ["LAST_REPLY", "Connection", "Domains", "Envelope", "Rates", "Relay", "Server"]
