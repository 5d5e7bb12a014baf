"""A rule set as bytes and back, so that a program that starts need not compile a million rules again.

It begins with a CRC of the rest in eight hexadecimal digits and a line of JSON: the key (what else the compiled form
depends on), numbers, and name, type, shape and place of each array behind it. Nothing in it is executed, and whatever
is damaged or of another key is simply not used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from notifier.matching.compiled import Compiled, Group
from notifier.matching.hashing import Hashes, Table
from notifier.matching.parser import Topics
from notifier.matching.phrases import Level, Packed, Words
from notifier.matching.query import Age, All, Author, Compare, Label, Leaf, Published, Regex, Text
from notifier.matching.ruleset import Parsed, RuleSet, Segment, compile_texts

_LEAVES: dict[str, Any] = {kind.__name__: kind for kind in (Age, All, Author, Compare, Label, Published, Regex, Text)}

_CHECK = 8
Arrays = dict[str, NDArray[Any]]


def dump(rules: RuleSet, *, key: str) -> bytes:
    """``rules`` of at most one segment (see ``RuleSet.kept``). ``key`` is what ``load`` has to be given."""
    segments = rules.segments or [compile_texts([], rules.topics)[0]]
    if len(segments) > 1:
        raise ValueError("only a set of one segment can be put on the shelf")
    arrays, numbers = _taken_apart(segments[0])
    arrays |= {f"block {digest.hex()}": rows for digest, rows in rules.blocks.items()}
    head: list[dict[str, object]] = []
    body: list[bytes] = []
    at = 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).tobytes()
        padding = -len(data) % 8
        head.append({"name": name, "type": array.dtype.str, "shape": array.shape, "at": at})
        body += [data, b"\0" * padding]
        at += len(data) + padding
    line = json.dumps({"key": key, "arrays": head, **numbers}).encode()
    # Numbers of eight bytes have to begin at a multiple of eight.
    data = b"".join([line, b" " * (-(len(line) + 1) % 8), b"\n", *body])
    return b"%08x" % crc32(data) + data


def load(data: bytes, topics: Topics, *, key: str) -> RuleSet | None:
    """The set that ``dump`` was given, or None where ``data`` is damaged or of another key."""
    end = data.find(b"\n") + 1
    try:
        if int(data[:_CHECK], 16) != crc32(memoryview(data)[_CHECK:]):
            return None
        head = json.loads(data[_CHECK:end])
        if head["key"] != key:
            return None
        arrays = {each["name"]: _array(data, end, each) for each in head["arrays"]}
        segment = _put_together(arrays, head, topics)
    except (ValueError, KeyError, TypeError):
        return None
    rules = RuleSet(topics)
    rules.put(segment)
    rules.blocks = {bytes.fromhex(name[6:]): rows for name, rows in arrays.items() if name.startswith("block ")}
    return rules


def _array(data: bytes, start: int, each: Mapping[str, Any]) -> NDArray[Any]:
    shape, dtype = tuple(each["shape"]), np.dtype(each["type"])
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(data, dtype, count, start + each["at"]).reshape(shape)


def _taken_apart(segment: Segment) -> tuple[Arrays, dict[str, object]]:
    compiled = segment.compiled
    words = compiled.words
    arrays: Arrays = {
        **_packed("texts", Packed.of(segment.texts)),
        **_packed("terms", Packed.of(words.terms)),
        **_packed("specs", words.specs),
        "of": compiled.of,
        "complements": compiled.complements,
        "odd": compiled.odd,
        "same": words.same,
        "place_of": words.place_of,
        "leaves_of_term.starts": words.leaves_of_term[0],
        "leaves_of_term": words.leaves_of_term[1],
    }
    for name, hashes in (("solid", words.solid), ("merged", words.merged), ("paired", compiled.paired)):
        arrays |= {f"{name}.{each.name}": getattr(hashes, each.name) for each in fields(Hashes)}
    for n, group in enumerate(compiled.groups):
        arrays[f"group{n}"] = group.literals
    for n, level in enumerate(words.levels):
        arrays |= {f"level{n}.keys": level.table.keys, f"level{n}.places": level.table.places}
        arrays |= {f"level{n}.goes_on": level.goes_on, **{f"level{n}.{s}": ends for s, ends in level.ends.items()}}
    return arrays, {
        "rows": compiled.rows,
        "leaves": compiled.leaves,
        "groups": [[group.widths, group.flipped, group.first] for group in compiled.groups],
        "levels": [list(level.ends) for level in words.levels],
        "singular": [[number, _written(leaf)] for number, leaf in compiled.singular],
    }


def _put_together(arrays: Arrays, head: Mapping[str, Any], topics: Topics) -> Segment:
    texts = _unpacked(arrays, "texts")
    words = Words(
        terms={term: number for number, term in enumerate(_unpacked(arrays, "terms"), 1)},
        levels=tuple(_level(arrays, n, searches) for n, searches in enumerate(head["levels"])),
        same=arrays["same"],
        solid=_hashes(arrays, "solid"),
        merged=_hashes(arrays, "merged"),
        leaves_of_term=(arrays["leaves_of_term.starts"], arrays["leaves_of_term"]),
        specs=_unpacked(arrays, "specs"),
        place_of=arrays["place_of"],
    )
    groups = tuple(
        Group(widths=tuple(widths), flipped=flipped, first=first, literals=arrays[f"group{n}"])
        for n, (widths, flipped, first) in enumerate(head["groups"])
    )
    compiled = Compiled(
        queries=Parsed(texts, topics),
        of=arrays["of"],
        rows=head["rows"],
        leaves=head["leaves"],
        complements=arrays["complements"],
        groups=groups,
        odd=arrays["odd"],
        singular=tuple((number, _leaf(written)) for number, written in head["singular"]),
        words=words,
        paired=_hashes(arrays, "paired"),
    )
    return Segment(texts=texts, compiled=compiled)


def _packed(name: str, texts: Packed) -> Arrays:
    return {name: np.frombuffer(texts.body, np.uint8), f"{name}.bounds": texts.bounds}


def _unpacked(arrays: Arrays, name: str) -> Packed:
    return Packed(arrays[name].tobytes(), arrays[f"{name}.bounds"])


def _hashes(arrays: Arrays, name: str) -> Hashes:
    return Hashes(**{each.name: arrays[f"{name}.{each.name}"] for each in fields(Hashes)})


def _level(arrays: Arrays, n: int, searches: list[int]) -> Level:
    return Level(
        table=Table(arrays[f"level{n}.keys"], arrays[f"level{n}.places"]),
        ends={search: arrays[f"level{n}.{search}"] for search in searches},
        goes_on=arrays[f"level{n}.goes_on"],
    )


@cache
def _adapter(name: str) -> TypeAdapter[Leaf]:
    return TypeAdapter(_LEAVES[name])


def _written(leaf: Leaf) -> list[object]:
    name = type(leaf).__name__
    return [name, _adapter(name).dump_python(leaf, mode="json")]


def _leaf(written: list[Any]) -> Leaf:
    name, values = written
    return _adapter(name).validate_python(values)
