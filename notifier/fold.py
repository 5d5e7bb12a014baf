"""Sightings and what is stored become entries: which are new, which are updates, which turned out to be one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from notifier.identity import merge
from notifier.model import Announce, Entry, Sighting
from notifier.ports import Shown, SightedEntry

# A replacement of a paper that was never seen here is an old paper: stored and searchable, but no news.
_NO_NEWS = frozenset({Announce.REPLACE, Announce.REPLACE_CROSS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the sightings of one fetch; one entry shown twice in it counts once."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            new=self.new + other.new, updated=self.updated + other.updated, unchanged=self.unchanged + other.unchanged
        )


def fold(
    sightings: Iterable[Sighting],
    known: Mapping[str, Entry],
    *,
    source: str,
    baseline: bool,
    now: datetime,
) -> list[SightedEntry]:
    """Merge the sightings that share a key, and the stored entries their keys lead to, into one entry each.

    ``known`` maps identity keys to stored entries. ``source`` names who showed it, unless the sighting
    names its own source (a JSON Lines file can carry entries of many). An entry becomes news when a source
    shows it for the first time, but for the source's baseline and announced replacements.
    """
    return [_build(group, known, source, baseline, now) for group in _groups(sightings, known)]


def count(folded: Iterable[SightedEntry]) -> Counts:
    new = updated = unchanged = 0
    for each in folded:
        if each.known_id is None:
            new += 1
        elif each.changed:
            updated += 1
        else:
            unchanged += 1
    return Counts(new=new, updated=updated, unchanged=unchanged)


def _groups(sightings: Iterable[Sighting], known: Mapping[str, Entry]) -> list[list[Sighting]]:
    """Sightings that are one paper: they share a key, or their keys lead to one stored entry."""
    groups: dict[str, _Group] = {}
    for sighting in sightings:
        names = {*sighting.keys, *(known[key].id for key in sighting.keys if key in known)}
        mine = _Group(names, [])
        for group in {id(groups[name]): groups[name] for name in names if name in groups}.values():
            mine.names.update(group.names)
            mine.sightings.extend(group.sightings)
        mine.sightings.append(sighting)
        groups.update(dict.fromkeys(mine.names, mine))
    return [group.sightings for group in {id(group): group for group in groups.values()}.values()]


class _Group(NamedTuple):
    names: set[str]
    sightings: list[Sighting]


def _build(
    group: Sequence[Sighting], known: Mapping[str, Entry], source: str, baseline: bool, now: datetime
) -> SightedEntry:
    keys = tuple(dict.fromkeys(key for sighting in group for key in sighting.keys))
    stored = sorted({known[key].id: known[key] for key in keys if key in known}.values(), key=_strength)
    entry = _joined(stored)
    for sighting in group:
        entry = _shown(entry, sighting, source, baseline, now)
    ids = [*(each.id for each in stored), *(sighting.keys[0] for sighting in group)]
    entry = replace(entry, id=min(ids, key=_id_strength)) if entry else entry
    survivor = stored[0] if stored else None
    assert entry is not None  # noqa: S101 - a group has at least one sighting
    return SightedEntry(
        entry=entry,
        keys=tuple(dict.fromkeys((entry.id, *keys))),
        shown=tuple(Shown(source=_source(each, source), announce=each.announce) for each in group),
        known_id=survivor.id if survivor else None,
        merged_ids=tuple(each.id for each in stored[1:]),
        changed=entry != survivor,
    )


def _joined(stored: Sequence[Entry]) -> Entry | None:
    if not stored:
        return None
    entry = stored[0]
    for other in stored[1:]:
        entry = replace(
            merge(entry, other),
            sources=tuple(dict.fromkeys((*entry.sources, *other.sources))),
            first_seen_at=_earliest(entry.first_seen_at, other.first_seen_at),
            new_at=_earliest(entry.new_at, other.new_at),
        )
    return entry


def _shown(entry: Entry | None, sighting: Sighting, source: str, baseline: bool, now: datetime) -> Entry:
    name = _source(sighting, source)
    merged = merge(entry, sighting.entry) if entry else replace(sighting.entry, sources=(), first_seen_at=now)
    if name in merged.sources:
        return merged
    is_news = not baseline and sighting.announce not in _NO_NEWS
    return replace(merged, sources=(*merged.sources, name), new_at=merged.new_at or (now if is_news else None))


def _source(sighting: Sighting, source: str) -> str:
    return sighting.entry.sources[0] if sighting.entry.sources else source


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)


def _id_strength(id: str) -> int:
    """An arXiv id beats a DOI beats a source's own id."""
    return 0 if id.startswith("arxiv:") else 1 if id.startswith("doi:") else 2


def _strength(entry: Entry) -> tuple[int, str]:
    return _id_strength(entry.id), entry.id
