"""Sightings and what is stored become entries: which are new, which are updates, which turned out to be one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from notifier.merging import kept, merged
from notifier.model import Announce, Entry, Saying, Sighting
from notifier.ports import SightedEntry, StoredSighting, Titled

# A replacement of a paper that was never seen here is an old paper: stored and searchable, but no news.
_NO_NEWS = frozenset({Announce.REPLACE, Announce.REPLACE_CROSS})
_COUNTS = ("upvotes", "comments", "stars")


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
    told: Mapping[str, Sequence[StoredSighting]],
    *,
    source: str,
    baseline: bool,
    now: datetime,
) -> list[SightedEntry]:
    """Merge the sightings that share a key, and the stored entries their keys lead to, into one entry each.

    ``known`` maps identity keys to stored entries, ``told`` their ids to who showed them. ``source`` names who
    showed it, unless the sighting names its own source (a JSON Lines file can carry entries of many). An entry
    becomes news when a source shows it for the first time, but for the source's baseline and announced
    replacements. The outcome depends on what was said and when, not on what arrived first.
    """
    fetch = _Fetch(source, baseline, now)
    return [_build(group, known, told, fetch) for group in _groups(sightings, known)]


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


def unseen(folded: Iterable[SightedEntry], now: datetime) -> int:
    """How many of them the source showed for the first time ``now``, whoever else had them before."""
    return sum(any(sighting.first_at == now for sighting in each.sightings) for each in folded)


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


class _Fetch(NamedTuple):
    source: str
    baseline: bool
    now: datetime


class _Group(NamedTuple):
    names: set[str]
    sightings: list[Sighting]


def _build(
    group: Sequence[Sighting],
    known: Mapping[str, Entry],
    told: Mapping[str, Sequence[StoredSighting]],
    fetch: _Fetch,
) -> SightedEntry:
    keys = tuple(dict.fromkeys(key for sighting in group for key in sighting.keys))
    stored = sorted({known[key].id: known[key] for key in keys if key in known}.values(), key=lambda e: _strength(e.id))
    survivor = stored[0] if stored else None
    before = [list(told.get(each.id, ())) for each in stored]
    fresh = [_seen(sighting, fetch) for sighting in group]
    sightings = _by_source([*(each for several in before for each in several), *fresh])
    ids = [*(each.id for each in stored), *(sighting.keys[0] for sighting in group)]
    entry = _entry(min(ids, key=_strength), sightings)
    return SightedEntry(
        entry=entry,
        keys=tuple(dict.fromkeys((entry.id, *keys))),
        sightings=tuple(each for each in sightings if not before or each not in before[0]),
        titles=_titles(group, fetch.now),
        known_id=survivor.id if survivor else None,
        merged_ids=tuple(each.id for each in stored[1:]),
        changed=entry != survivor,
        grew=any(getattr(entry, name) != getattr(survivor, name, None) for name in _COUNTS),
    )


def _seen(sighting: Sighting, fetch: _Fetch) -> StoredSighting:
    return StoredSighting(
        source=sighting.entry.sources[0] if sighting.entry.sources else fetch.source,
        first_at=fetch.now,
        last_at=fetch.now,
        announce=sighting.announce,
        is_news=not fetch.baseline and sighting.announce not in _NO_NEWS,
        said=(Saying(at=fetch.now, entry=replace(sighting.entry, id="", sources=())),),
    )


def _by_source(sightings: Iterable[StoredSighting]) -> list[StoredSighting]:
    """One of each source, in order of first sighting."""
    found: dict[str, StoredSighting] = {}
    for each in sightings:
        found[each.source] = _together(found[each.source], each) if each.source in found else each
    return sorted(found.values(), key=lambda each: (each.first_at, each.source))


def _together(one: StoredSighting, other: StoredSighting) -> StoredSighting:
    """What one source showed at two times: the earlier says whether it was news, at one instant the better news."""
    earlier, later = sorted((one, other), key=lambda each: (each.first_at, not each.is_news, _announced(each)))
    return replace(earlier, last_at=max(earlier.last_at, later.last_at), said=kept((*earlier.said, *later.said)))


def _announced(sighting: StoredSighting) -> tuple[bool, str]:
    # In the alphabet new and cross stand where they should, before the two kinds of replacement.
    return sighting.announce is None, sighting.announce or ""


def _entry(id: str, sightings: Sequence[StoredSighting]) -> Entry:
    news = [each.first_at for each in sightings if each.is_news]
    announced = [each for each in sightings if each.announce is not None]
    last = max(announced, key=lambda each: each.first_at, default=None)
    return replace(
        merged(id, {each.source: each.said for each in sightings}),
        sources=tuple(each.source for each in sightings),
        first_seen_at=sightings[0].first_at,
        new_at=min(news, default=None),
        announce=last.announce if last else None,
    )


def _titles(group: Sequence[Sighting], now: datetime) -> tuple[Titled, ...]:
    return tuple(Titled(title=title, first_at=now, last_at=now) for title in sorted({s.entry.title for s in group}))


def _strength(id: str) -> tuple[int, str]:
    """An arXiv id beats a DOI beats a source's own id; among equals the alphabet, as it must not be who came first."""
    return 0 if id.startswith("arxiv:") else 1 if id.startswith("doi:") else 2, id
