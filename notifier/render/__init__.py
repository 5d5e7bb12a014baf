"""Digests as messages: ``Composer`` is the Renderer, ``Links`` what messages may point to.

The pages share the templates' environment and the catalogue of words.
"""

from notifier.render.catalog import LONG_DAY, SHORT_DAY, Catalog, load, message
from notifier.render.composer import FORMATS, Composer
from notifier.render.environment import Kind, environment, rendered
from notifier.render.links import Links
from notifier.render.papers import PaperView, listed, paper_path, paper_view

__all__ = [
    "FORMATS",
    "LONG_DAY",
    "SHORT_DAY",
    "Catalog",
    "Composer",
    "Kind",
    "Links",
    "PaperView",
    "environment",
    "listed",
    "load",
    "message",
    "paper_path",
    "paper_view",
    "rendered",
]
