"""Digests as messages: ``Composer`` is the Renderer, ``Links`` what messages may point to.

The pages share the templates' environment and the catalogue of words.
"""

from notifier.render.catalog import LONG_DATE, LONG_DAY, SHORT_DAY, Catalog, load, message
from notifier.render.composer import FORMATS, Composer
from notifier.render.dkim import Dkim
from notifier.render.dkim import load as load_dkim
from notifier.render.entries import entry_view, title
from notifier.render.environment import Kind, environment, rendered
from notifier.render.feed import Feeds, FeedWriter
from notifier.render.grouping import grouped
from notifier.render.links import Links
from notifier.render.papers import WHOLE, PaperView, listed, paper_path, paper_view
from notifier.render.sentences import digest_view
from notifier.render.view import Because, DigestView, EntryView

__all__ = [
    "FORMATS",
    "LONG_DATE",
    "LONG_DAY",
    "SHORT_DAY",
    "WHOLE",
    "Because",
    "Catalog",
    "Composer",
    "DigestView",
    "Dkim",
    "EntryView",
    "FeedWriter",
    "Feeds",
    "Kind",
    "Links",
    "PaperView",
    "digest_view",
    "entry_view",
    "environment",
    "grouped",
    "listed",
    "load",
    "load_dkim",
    "message",
    "paper_path",
    "paper_view",
    "rendered",
    "title",
]
