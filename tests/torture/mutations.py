"""What the world does to bytes on their way here, by accident and on purpose. Deterministic by the generator given."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

Mutation = Callable[[random.Random, bytes], bytes]

_MOST = 300_000
"""Bytes after all mutations: longer ones are slow to make and show nothing new."""
_NUMBER = re.compile(rb"\d+")
_DATE = re.compile(
    rb"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-][\d:]+)?|\w{3}, \d+ \w{3} \d{4} [\d:]+ [+-]\d{4}|\d{4}-\d\d-\d\d"
)
_VALUE = re.compile(rb'(?<=: )("[^"]*"|[\d.]+|true|false|null)')
_ATTRIBUTE = re.compile(rb'"[^"<>]*"')
_NUMBERS = (
    b"-1", b"0", b"1e999", b"-1e308", b"9" * 400, b"NaN", b"-Infinity", b"1.5", b"18446744073709551616", b"0x7f",
    b"2147483648", b"000",
)  # fmt: skip
_DATES = (
    b"0000-00-00", b"9999-12-31T23:59:60+99:99", b"2025-02-31T25:61:61Z", b"1969-12-31T23:59:59Z", b"0001-01-01",
    b"Sun, 99 Xyz 99999 99:99:99 +9999", b"Mon, 01 Dec 2025 00:00:60 EST", b"-2025-12-01", b"2025-W49-1", b"20251201",
    b"9999-12-31T23:59:59-23:59", b"0001-01-01T00:00:00+23:59", b"1765843200", b"gestern", b"",
)  # fmt: skip
_TEXTS = (
    b"\x00", b"\x1b[31m", b"\x07\x08\x0b\x0c", "\x85\u2028\u2029".encode(), "\u202egnp.exe\u2066".encode(),
    b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"\xff\xfe", b"\xc0\xaf", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?xml",
    b"<script>alert(1)</script>", b"javascript:alert(1)", b"data:text/html,x", b"http://[::1", b"http://a@b/",
    b"https://\xe2\x80\xae.example/", b"file:///etc/passwd", "https://例え.テスト/ü?q=\u00a0".encode(),
    b"\r\nBcc: eve@example.org", b"=?UTF-8?Q?=0D=0ABcc:?=", b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b",", b"\n",
    "e\u0301\u200d\u200b💩".encode(), ("\u0300" * 300).encode(), b"$\\frac{1}{", b"\\'{e}",
)  # fmt: skip
_ENTITIES = (
    b"&#0;", b"&#x1b;", b"&#xD800;", b"&#x110000;", b"&#99999999999999;", b"&nbsp;", b"&undefined;", b"&amp;amp;lt;",
    b"&lt;img src=x onerror=alert(1)&gt;", b"&amp;#8238;", b"&", b"&#;", b"&#x;", b"&a;",
)  # fmt: skip
_DOCTYPES = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>',
    b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    b'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1/x"> %a;]>',
)
_NESTS = (b"<div>", b"<b><i>", b"[", b'{"a":', b"<outline>", b"<item>", b"<entry>", b"&lt;div&gt;", b"(", b"<![CDATA[")
_CODECS = ("utf-16", "utf-16-le", "utf-32", "latin-1", "cp037", "utf-7", "shift-jis", "utf-8-sig")
_DECLARED = (b"utf-16", b"latin-1", b"ascii", b"cp037", b"x-nonsense", b"utf-8\x00", b"shift_jis", b"rot13", b"zip")
_VALUES = (
    b"null",
    b"[]",
    b"{}",
    b"true",
    b'""',
    b"[[[]]]",
    b'{"name": null}',
    b'[null, 1, "a", {}]',
    b'"' + b"w" * 5000 + b'"',
)

_JSON_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 2**70, -(2**63), 1e308, float("nan"), float("inf"), "", "\ud800", "\0", "w" * 5_000, [], {},
    [None, 1, "a", {}], {"name": None}, [[[]]],
)  # fmt: skip


def mutated(rng: random.Random, body: bytes) -> bytes:
    """``body`` after one to five of them; three of four JSON bodies only so that they still parse."""
    if (whole := _as_json(body)) is not None and rng.random() < 0.75:
        for _ in range(rng.choice((1, 1, 2, 3, 5))):
            _inside(rng, whole)
        return b"\n".join(json.dumps(each).encode()[:_MOST] for each in whole) + b"\n"
    for mutation in rng.choices(ALL, k=rng.choice((1, 1, 2, 3, 5))):
        body = mutation(rng, body)[:_MOST]
    return body


def _as_json(body: bytes) -> list[Any] | None:
    """The one value of a JSON body, or one of each line; None where it is none."""
    try:
        return [json.loads(body)]
    except ValueError:
        try:
            return [json.loads(line) for line in body.splitlines()]
        except ValueError:
            return None


def _inside(rng: random.Random, whole: list[Any]) -> None:
    """Another value, name or number of something somewhere in it."""
    if not (places := list(_places(whole))):
        return
    inner, key = rng.choice(places)
    match rng.choice(("value", "value", "text", "drop", "twice", "wrap", "rename")):
        case "value":
            # A copy: later mutations go into it.
            inner[key] = deepcopy(rng.choice(_JSON_VALUES))
        case "text":
            hostile = rng.choice(_TEXTS + _DATES + _ENTITIES).decode("utf-8", "surrogateescape")
            inner[key] = hostile if not isinstance(inner[key], str) else inner[key] + hostile
        case "drop":
            del inner[key]
        case "twice" if isinstance(inner, list):
            inner.extend([inner[key]] * rng.choice((1, 50)))
        case "wrap":
            inner[key] = rng.choice(([inner[key]], {"name": inner[key]}))
        case _:
            if isinstance(inner, dict):
                name = rng.choice(list(inner))
                inner[name] = inner.pop(key)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every list and object in it with each of its indices or keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _flip(rng: random.Random, body: bytes) -> bytes:
    flipped = bytearray(body)
    for _ in range(rng.choice((1, 3, 30)) if body else 0):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def _cut(rng: random.Random, body: bytes) -> bytes:
    return body[: rng.randint(0, len(body))]


def _slice(rng: random.Random, body: bytes) -> tuple[int, int]:
    start = rng.randint(0, len(body))
    return start, min(len(body), start + rng.choice((1, 20, 400)))


def _lose(rng: random.Random, body: bytes) -> bytes:
    start, end = _slice(rng, body)
    return body[:start] + body[end:]


def _repeat(rng: random.Random, body: bytes) -> bytes:
    start, end = _slice(rng, body)
    return body[:end] + body[start:end] * rng.choice((1, 10, 200)) + body[end:]


def _move(rng: random.Random, body: bytes) -> bytes:
    start, end = _slice(rng, body)
    return _insert(rng, body[:start] + body[end:], body[start:end])


def _insert(rng: random.Random, body: bytes, what: bytes) -> bytes:
    at = rng.randint(0, len(body))
    return body[:at] + what + body[at:]


def _nest(rng: random.Random, body: bytes) -> bytes:
    return _insert(rng, body, rng.choice(_NESTS) * rng.choice((3, 60, 3_000)))


def _text(rng: random.Random, body: bytes) -> bytes:
    return _insert(rng, body, rng.choice(_TEXTS))


def _entity(rng: random.Random, body: bytes) -> bytes:
    return _insert(rng, body, rng.choice(_ENTITIES))


def _doctype(rng: random.Random, body: bytes) -> bytes:
    start = body.find(b"?>") + 2 if b"?>" in body else 0
    return body[:start] + rng.choice(_DOCTYPES) + body[start:].replace(b"</title>", b"&a;&c;</title>")


def _recode(rng: random.Random, body: bytes) -> bytes:
    return body.decode("utf-8", "replace").encode(rng.choice(_CODECS), "replace")


def _declare(rng: random.Random, body: bytes) -> bytes:
    return re.sub(
        rb"""encoding=["'][^"']*["']""", lambda _: b'encoding="' + rng.choice(_DECLARED) + b'"', body, count=1
    )


def _replaced(rng: random.Random, body: bytes, what: re.Pattern[bytes], by: tuple[bytes, ...]) -> bytes:
    found = list(what.finditer(body))
    if not found:
        return body
    one = rng.choice(found)
    return body[: one.start()] + rng.choice(by) + body[one.end() :]


def _number(rng: random.Random, body: bytes) -> bytes:
    return _replaced(rng, body, _NUMBER, _NUMBERS)


def _date(rng: random.Random, body: bytes) -> bytes:
    return _replaced(rng, body, _DATE, _DATES)


def _value(rng: random.Random, body: bytes) -> bytes:
    return _replaced(rng, body, _VALUE, _VALUES)


def _attribute(rng: random.Random, body: bytes) -> bytes:
    return _replaced(rng, body, _ATTRIBUTE, tuple(b'"' + each.replace(b'"', b"") + b'"' for each in _TEXTS))


ALL: tuple[Mutation, ...] = (
    _flip, _cut, _lose, _repeat, _move, _nest, _text, _text, _entity, _doctype, _recode, _declare, _number, _date,
    _date, _value, _value, _attribute,
)  # fmt: skip
