"""XML of a service's answer as a tree, with nothing in it that could grow or reach out."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from notifier.errors import SourceError


class _Refused(Exception):
    pass


class _Builder(ElementTree.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Entities, which can grow without bound, are declared only in a document type."""
        raise _Refused


def tree(body: bytes, host: str) -> Any:
    """The root element. Raises SourceError for what is no XML, breaks off, or brings a document type."""
    parser = ElementTree.XMLParser(target=_Builder())  # noqa: S314 - see _Builder
    try:
        parser.feed(body)
        return parser.close()
    except _Refused:
        raise SourceError(f"{host} answered with a document type, which is not read: ask its operator.") from None
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        reason = f"{host} answered with something that is not whole XML ({error})"
        raise SourceError(f"{reason}: it is asked again later.") from None


def text(element: Any, path: str) -> str:
    """The text of the first element at ``path``, or an empty text."""
    found = element.find(path)
    return "" if found is None else "".join(found.itertext()).strip()
