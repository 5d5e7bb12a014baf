"""Digests as messages: ``Composer`` is the Renderer, ``Links`` what messages may point to."""

from notifier.render.composer import FORMATS, Composer
from notifier.render.links import Links, unsubscribe_token

__all__ = ["FORMATS", "Composer", "Links", "unsubscribe_token"]
