"""Rule text to ``Query``: a lark grammar for the whole language, a short path for plain words and phrases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from notifier.errors import RuleError
from notifier.matching import clauses
from notifier.matching.clauses import Place
from notifier.matching.normal import conjunction, disjunction, negation
from notifier.matching.normalize import fold
from notifier.matching.query import All, Leaf, Query, Text, Topic

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

Topics: TypeAlias = Mapping[str, str]
"""Name to query text; a topic's query may name others."""

MAX_LENGTH = 2_000
MAX_DEPTH = 50
MAX_TERMS = 200

# Each terminal ends where a person would see a word end; priorities say which reading wins.
_GRAMMAR = r"""
start: disjunction
?disjunction: conjunction (OR conjunction)*
?conjunction: unary (AND? unary)*
?unary: (NOT | MINUS) unary -> negation
      | primary
?primary: LEFT disjunction RIGHT -> group
        | STAR | COMPARE | REGEX | STRING | WORD
        | EXACT (STRING | WORD) -> exact
        | FIELD (LEFT disjunction RIGHT | EXACT (STRING | WORD) | REGEX | STRING | WORD) -> field
LEFT: "("
RIGHT: ")"
EXACT: "="
STAR.3: /\*(?![^\s()])/
OR.3: /or(?![^\s()"“”„])/i
AND.3: /and(?![^\s()"“”„])/i
NOT.3: /not(?![^\s()"“”„])/i
MINUS.3: /[-−–](?=[^\s)])/
COMPARE.4: /(?!(?:or|and|not)[^a-z_])[a-z_]+(?:\s*(?:[<>]=?|==|[≤≥])|=)\s*[^\s()"“”„<>=]*/i
         | /(?:upvotes|comments|stars|authors|version|age|published)\s*=\s*[^\s()"“”„<>=]*/i
FIELD.4: /[A-Za-z_]+:/
REGEX.4: /\/(?:[^\/\\]|\\.)+\/(?![^\s()])/
STRING.4: /["“”„][^"“”„]*["“”„](?:~\d{1,3})?/
WORD: /(?!(?:[oO][rR]|[aA][nN][dD]|[nN][oO][tT])(?![^\s()"“”„]))[^\s()"“”„=\/][^\s()"“”„]*/
%ignore /\s+/
"""
# The short path: words, phrases, a few fields and counts, with - before them and OR between.
_PLAIN = r'(?!(?i:or|and|not)(?![A-Za-z0-9]))[A-Za-z0-9]+|"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*"'
_SEARCH = rf"(?:(?:title|abstract|keyword|org):)?(?:{_PLAIN})"
_LABEL = r"category:[A-Za-z]+(?:[.-][A-Za-z]+)*"
_COUNT = r"(?:upvotes|comments|stars)[<>]=?[0-9]{1,9}"
_PIECE = rf"-?(?:{_SEARCH}|{_LABEL}|{_COUNT})"
_PIECES = re.compile(rf"{_PIECE}(?: (?:OR )?{_PIECE})*")
_EACH = re.compile(r'(?:[^ "]|"[^"]*")+')


def parse(text: str, topics: Topics = {}) -> Query:  # noqa: B006 - never written to
    """The query ``text`` stands for.

    Raises RuleError with the 1-based column in ``text``, what was expected there, and a suggestion for an
    unknown field or topic.
    """
    if "topic" not in text.casefold():
        return _parse(text, frozenset(), ())
    return _parse(text, frozenset(topics.items()), ())


@lru_cache(maxsize=2**16)
def _parse(text: str, topics: frozenset[tuple[str, str]], inside: tuple[str, ...]) -> Query:
    _check_limits(text)
    return parse_plainly(text) or parse_by_grammar(text, topics, inside)


def parse_plainly(text: str) -> Query | None:
    """The short path: plain words and phrases, with - and OR; None for everything else. Equal to the grammar."""
    if (alternatives := plain_alternatives(text)) is None:
        return None
    return disjunction(conjunction(map(_signed, pieces)) for pieces in alternatives)


def plain_alternatives(text: str) -> list[list[str]] | None:
    """The pieces of a text on the short path, each with its sign: one list for each side of an OR."""
    if not _PIECES.fullmatch(text) or len(text) > MAX_LENGTH:
        return None
    sides = text.split(" OR ")
    alternatives = [_EACH.findall(side) for side in sides] if '"' in text else [side.split(" ") for side in sides]
    return alternatives if sum(map(len, alternatives)) <= MAX_TERMS else None


def _signed(piece: str) -> Query:
    return negation(plain_leaf(piece[1:])) if piece[0] == "-" else plain_leaf(piece)


@lru_cache(maxsize=2**16)
def plain_leaf(piece: str) -> Leaf:
    """The leaf of one piece of the short path, which has no sign any more."""
    name, _, content = piece.rpartition(":")
    if piece[-1].isdigit() and ("<" in piece or ">" in piece):
        return clauses.comparison(piece, _NOWHERE)
    if name == "category":
        return clauses.label(content, Place(field=name, column=1))
    parts = content[1:-1].split(" ") if content[0] == '"' else [content]
    return Text(field=clauses.TEXT_FIELDS.get(name, ""), parts=tuple(map(fold, parts)), shown=content)


_NOWHERE = Place(field="", column=1)
"""Pieces of the short path cannot be wrong, so that no error will name a column."""


def parse_by_grammar(text: str, topics: frozenset[tuple[str, str]], inside: tuple[str, ...] = ()) -> Query:
    return _Builder(text, dict(topics), topics, inside).build()


def _check_limits(text: str) -> None:
    if not text.strip():
        raise RuleError("The rule is empty: write at least one word, or * for every entry", column=1)
    if len(text) > MAX_LENGTH:
        raise RuleError(f"The rule has {len(text):,} characters; {MAX_LENGTH:,} are allowed", column=MAX_LENGTH + 1)
    if "\0" in text:
        raise RuleError("The rule holds a NUL character, which no text has: remove it", column=text.index("\0") + 1)
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth > MAX_DEPTH:
            raise RuleError(f"The rule has more than {MAX_DEPTH} parentheses inside one another", column=at + 1)


@cache
def _lark() -> Lark:
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", lexer="contextual", maybe_placeholders=False)


def _tree(text: str) -> Tree[Token]:
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    try:
        return _lark().parse(text)
    except UnexpectedToken as error:
        _misplaced(text, error.token)
    except UnexpectedCharacters as error:
        _unreadable(text, error.pos_in_stream or 0)


def _misplaced(text: str, token: Token) -> NoReturn:
    column = (token.start_pos or 0) + 1
    something = "a word, a phrase, a field or ("
    match token.type:
        case "$END":
            if text.count("(") > text.count(")"):
                raise RuleError("A parenthesis is not closed: expected ) at the end", column=len(text) + 1) from None
            raise RuleError(f"The rule ends too early: expected {something}", column=len(text) + 1) from None
        case "RIGHT":
            opened = text[: column - 1].rstrip().endswith("(")
            message = (
                f"Nothing stands between the parentheses: expected {something}" if opened else "This ) closes nothing"
            )
            raise RuleError(message, column=column) from None
        case "OR" | "AND":
            raise RuleError(f"{token.upper()} has nothing on one side: expected {something}", column=column) from None
        case _:
            raise RuleError(f"'{token}' cannot stand here: expected {something}", column=column) from None


def _unreadable(text: str, at: int) -> NoReturn:
    if text[at] in '"“”„':
        raise RuleError('A quotation mark is not closed: expected another "', column=at + 1) from None
    if text[at] == "/":
        raise RuleError("A regular expression begins and ends with /: expected another /", column=at + 1) from None
    raise RuleError(f"'{text[at]}' cannot stand here: expected a word or a phrase", column=at + 1) from None


class _Builder:
    """One parse: turns the tree into a query, with ``field`` handed down into ``title:( … )``."""

    def __init__(self, text: str, topics: Topics, frozen: frozenset[tuple[str, str]], inside: tuple[str, ...]) -> None:
        self.text, self.topics, self.frozen, self.inside = text, topics, frozen, inside
        self.terms = 0

    def build(self) -> Query:
        return self._node(_tree(self.text).children[0], "", 0)

    def _node(self, node: Token | Tree[Token], field: str, depth: int) -> Query:
        if depth > 2 * MAX_DEPTH:
            raise RuleError(f"The rule has more than {MAX_DEPTH} levels", column=1)
        if isinstance(node, str):
            return self._leaf(node, field, exact=False)
        children = node.children
        match str(node.data):
            case "disjunction":
                return disjunction(self._node(each, field, depth + 1) for each in children if not _is(each, "OR"))
            case "conjunction":
                return conjunction(self._node(each, field, depth + 1) for each in children if not _is(each, "AND"))
            case "negation":
                return negation(self._node(children[1], field, depth + 1))
            case "group":
                return self._node(children[1], field, depth + 1)
            case "exact":
                return self._leaf(_token(children[1]), field, exact=True)
            case _:
                return self._field(children, field, depth)

    def _field(self, children: list[Token | Tree[Token]], outer: str, depth: int) -> Query:
        name = _token(children[0])
        if outer:
            raise RuleError("A field cannot stand inside another field's parentheses", column=_column(name))
        field = clauses.field_name(name[:-1], _column(name))
        if _is(children[1], "LEFT"):
            return self._node(children[2], field, depth + 1)
        exact = _is(children[1], "EXACT")
        return self._leaf(_token(children[-1]), field, exact=exact)

    def _leaf(self, token: Token, field: str, *, exact: bool) -> Query:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise RuleError(f"The rule has more than {MAX_TERMS} terms", column=_column(token))
        place = Place(field=field, column=_column(token))
        match token.type:
            case "STAR" | "COMPARE" if field:
                raise RuleError(
                    f"'{token}' cannot stand behind {field}:, expected a word or a phrase", column=place.column
                )
            case "STAR":
                return All()
            case "COMPARE":
                return clauses.comparison(str(token), place)
            case "REGEX":
                return clauses.regex(token[1:-1], place)
            case "STRING":
                quoted, _, slop = token.rpartition("~") if token[-1] not in '"“”„' else (str(token), "", "")
                return self._text(quoted[1:-1], place, exact, quoted=True, slop=int(slop) if slop else None)
            case _:
                return self._text(str(token), place, exact, quoted=False, slop=None)

    def _text(self, text: str, place: Place, exact: bool, *, quoted: bool, slop: int | None) -> Query:
        if place.field == "topic":
            return self._topic(text, place)
        return clauses.text(text, place, exact=exact, quoted=quoted, slop=slop)

    def _topic(self, name: str, place: Place) -> Query:
        name = name.strip().casefold()
        known = {each.casefold(): each for each in self.topics}
        if name not in known:
            raise clauses.unknown("topic", name, known, place.column)
        if name in self.inside:
            cycle = " → ".join((*self.inside[self.inside.index(name) :], name))
            raise RuleError(f"Topic '{name}' leads back to itself ({cycle})", column=place.column)
        try:
            query = _parse(self.topics[known[name]], self.frozen, (*self.inside, name))
        except RuleError as error:
            reason = str(error).partition(" (column")[0]
            raise RuleError(f"Topic '{name}' cannot be used: {reason}", column=place.column) from error
        return Topic(name=known[name], query=query)


def _is(node: Token | Tree[Token], kind: str) -> bool:
    return isinstance(node, str) and node.type == kind


def _token(node: Token | Tree[Token]) -> Token:
    assert isinstance(node, str)  # noqa: S101 - the grammar allows nothing else here
    return node


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1
