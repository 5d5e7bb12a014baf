from hypothesis import given
from hypothesis import strategies as st

from notifier.render.excerpt import Piece, excerpt, merged, sentences

TEXT = (
    "Robots fall often. We study humanoid balance, e.g. on ice. Prior work by Smith et al. used 3.5 hours of data. "
    "Ours uses more. A reward model scores each step. The code is public. Nothing else is needed."
)


def joined(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces)


def marks(pieces: tuple[Piece, ...]) -> list[str]:
    return [piece.text for piece in pieces if piece.marked]


def at(word: str) -> tuple[int, int]:
    return TEXT.index(word), TEXT.index(word) + len(word)


def test_sentences_do_not_end_at_abbreviations_or_decimals() -> None:
    assert [TEXT[start:end] for start, end in sentences(TEXT)][1:3] == [
        "We study humanoid balance, e.g. on ice.",
        "Prior work by Smith et al. used 3.5 hours of data.",
    ]


def test_chinese_sentences_end_without_a_space() -> None:
    assert sentences("我们研究机器人。它会走路。") == [(0, 8), (8, 13)]


def test_short_text_is_shown_whole_with_its_marks() -> None:
    pieces = excerpt("A humanoid walks.", [(2, 10)], limit=400)
    assert pieces == (Piece(text="A "), Piece(text="humanoid", marked=True), Piece(text=" walks."))


def test_excerpt_takes_whole_sentences_around_the_match_and_says_that_it_is_cut() -> None:
    pieces = excerpt(TEXT, [at("reward model")], limit=90)
    assert joined(pieces) == "…\u00a0Ours uses more. A reward model scores each step. The code is public.\u00a0…"
    assert marks(pieces) == ["reward model"]


def test_excerpt_without_a_match_starts_at_the_beginning() -> None:
    assert joined(excerpt(TEXT, [], limit=70)) == "Robots fall often. We study humanoid balance, e.g. on ice.\u00a0…"


def test_excerpt_prefers_the_window_with_most_marks() -> None:
    spans = [at("Robots"), at("reward model"), at("code")]
    assert marks(excerpt(TEXT, spans, limit=90)) == ["reward model", "code"]


def test_a_sentence_longer_than_the_limit_is_cut_at_words_around_the_match() -> None:
    text = "word " * 100 + "humanoid " + "word " * 100
    pieces = excerpt(text, [(500, 508)], limit=100)
    assert marks(pieces) == ["humanoid"]
    assert joined(pieces).startswith("…\u00a0word ") and joined(pieces).endswith("word\u00a0…")
    assert len(joined(pieces)) <= 104


def test_overlapping_and_touching_spans_become_one_mark() -> None:
    assert merged([(4, 8), (0, 5), (8, 9), (20, 30), (7, 7)], 25) == [(0, 9), (20, 25)]


def test_line_breaks_of_the_source_become_spaces() -> None:
    assert joined(excerpt("One\n   two.", [], limit=50)) == "One two."


spans = st.lists(st.tuples(st.integers(-5, 500), st.integers(-5, 500)), max_size=6)


@given(st.text(max_size=500), spans, st.integers(1, 120))
def test_excerpt_is_bounded_and_marks_only_what_the_spans_say(
    text: str, given_spans: list[tuple[int, int]], limit: int
) -> None:
    pieces = excerpt(text, given_spans, limit=limit)
    assert len(joined(pieces)) <= limit + 4
    allowed = {" ".join(text[start:end].split()) for start, end in merged(given_spans, len(text))}
    assert all(any(" ".join(mark.split()) in each for each in allowed) for mark in marks(pieces))
