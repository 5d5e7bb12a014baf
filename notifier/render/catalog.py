"""The words of the messages in the reader's language, and dates as that language writes them.

English stands in the templates; other languages are ``templates/locale/``: ``de.po`` and, by what they are for, such
files as ``de.people.po``, compiled in memory when first used.
Date patterns are messages too (Unicode's letters), so a translation decides their order.
"""

from __future__ import annotations

import gettext
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime
from babel.messages.catalog import Catalog as Translations
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_decimal

from notifier import resources
from notifier.errors import TemplateError

SOURCE_LANGUAGE = "en"


def message(text: str) -> str:
    """Mark a text that is looked up later, so that translators find it."""
    return text


LONG_DAY = message("EEEE d MMMM")
SHORT_DAY = message("EEE d MMM")
LONG_DATE = message("d MMMM")
SHORT_DATE = message("d MMM")
SHORT_DATE_WITH_YEAR = message("d MMM y")
WEEKDAY = message("EEEE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    language: str
    translations: gettext.NullTranslations
    locale: Locale

    def say(self, message: str, **values: object) -> str:
        return self.translations.gettext(message) % values

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """A message with a number in it, as ``%(num)s``, in the plural form that the number asks for."""
        return self.translations.ngettext(one, many, number) % {"num": self.number(number), **values}

    def number(self, number: int) -> str:
        return _number(number, self.locale)

    def date(self, instant: datetime, pattern: str) -> str:
        """``instant`` in its own zone; ``pattern`` is one of the messages above."""
        # Without its zone: equal instants in two zones are one key, but not one date. No pattern shows the zone.
        return _date(instant.replace(tzinfo=None), self.say(pattern), self.locale)

    def clock(self, instant: datetime) -> str:
        return f"{instant:%H:%M} {instant.tzname()}"

    def moment(self, instant: datetime, zone: str) -> str:
        """``Tue 16 Dec 08:00 CET``."""
        local = instant.astimezone(ZoneInfo(zone))
        return f"{self.date(local, SHORT_DAY)} {self.clock(local)}"

    def when(self, instant: datetime, today: datetime) -> str:
        """As near to ``today`` as a reader says it: a time, a weekday, else a date. Both in the reader's zone."""
        if instant.date() == today.date():
            return self.clock(instant)
        if timedelta(0) < today.date() - instant.date() < timedelta(days=7):
            return self.date(instant, WEEKDAY)
        return self.date(instant, LONG_DATE)

    def joined(self, parts: list[str]) -> str:
        """``a``, ``a and b``, ``a, b and c``."""
        if len(parts) < 2:
            return "".join(parts)
        return self.say("%(first)s and %(last)s", first=", ".join(parts[:-1]), last=parts[-1])


@lru_cache(4096)
def _number(number: int, locale: Locale) -> str:
    return str(format_decimal(number, locale=locale))


@lru_cache(4096)
def _date(local: datetime, pattern: str, locale: Locale) -> str:
    return format_datetime(local, pattern, locale=locale)


def load(language: str, overrides: Path | None = None) -> Catalog:
    """The catalogue of ``language``; English for one that nobody has translated."""
    wanted = language.replace("-", "_").split("_")[0].lower()
    files = _files(wanted, overrides)
    if wanted == SOURCE_LANGUAGE or not files:
        null = gettext.NullTranslations()
        return Catalog(language=SOURCE_LANGUAGE, translations=null, locale=Locale(SOURCE_LANGUAGE))
    try:
        return Catalog(language=wanted, translations=_compiled(files), locale=Locale(wanted))
    except UnknownLocaleError as error:
        raise TemplateError(f"The translation {files[0]} is for no known language: rename it.") from error


def _files(language: str, overrides: Path | None) -> list[Path]:
    """Those of the operator's own folder stand for the bundled ones of the same name."""
    if not language.isascii() or not language.isalpha():
        return []
    folders = [folder / "locale" for folder in (resources.folder("templates"), overrides) if folder]
    found = {file.name: file for folder in folders for file in folder.glob(f"{language}*.po")}
    return [found[name] for name in sorted(found) if name.split(".")[0] == language]


def _compiled(files: Sequence[Path]) -> gettext.GNUTranslations:
    whole = Translations()
    for file in files:
        try:
            with file.open("rb") as source:
                part = read_po(source, abort_invalid=True)
        except (PoFileError, ValueError) as error:
            raise TemplateError(f"The translation {file} cannot be read: {error}. Mend it or remove it.") from error
        for each in part:
            # The message without an id is the head of the file.
            if each.id or file == files[0]:
                whole[each.id] = each
    machine = BytesIO()
    write_mo(machine, whole)
    machine.seek(0)
    return gettext.GNUTranslations(machine)
