"""Digests as messages: ``Composer`` is the Renderer, ``Links`` what messages may point to.

The pages share the templates' environment and the catalogue of words.
"""

from notifier.render.catalog import Catalog, load, message
from notifier.render.composer import FORMATS, Composer
from notifier.render.environment import Kind, environment, rendered
from notifier.render.links import Links

__all__ = [
    "FORMATS",
    "Catalog",
    "Composer",
    "Kind",
    "Links",
    "environment",
    "load",
    "message",
    "rendered",
]
