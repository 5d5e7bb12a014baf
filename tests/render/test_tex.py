import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.render.tex import readable


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (r"$\alpha$-divergence", "α-divergence"),
        (r"PIP$^2$ Net", "PIP² Net"),
        (r"M$^3$KG-RAG", "M³KG-RAG"),
        (r"\textbf{88\% of PutnamBench}", "88% of PutnamBench"),
        (r"\emph{a $\beta$ b}", "a β b"),
        (r"$O(k^{1.2})$", "O(k^(1.2))"),
        (r"$W_{ij}$ and $L_2$", "Wᵢⱼ and L₂"),
        (r"${\cal O}(\frac{1}{\sqrt{n}})$", "O(1/√n)"),
        (r"$\mathcal{L}_1$ in $\mathbb{R}^n$", "L₁ in ℝⁿ"),
        (r"88$\times$ faster, $\leq 95\%$", "88× faster, ≤95%"),
        (r"Andr\'e, G\"odel, Fran\c{c}ois", "André, Gödel, François"),
        (r"\href{https://example.org}{code}", "code"),
        (r"\texttt{EUBRL} at $n=5$", "EUBRL at n=5"),
    ],
)
def test_tex_is_shown_readable(source: str, shown: str) -> None:
    assert unicodedata.normalize("NFC", readable(source)[0]) == shown


@pytest.mark.parametrize(
    "source", [r"$\foo{x}$", r"\toolname is new", "from $5 to $10", "costs $5", "\\", r"\textbf{open", r"$a & b$"]
)
def test_what_is_not_understood_is_left_as_it_stands(source: str) -> None:
    assert readable(source)[0] == source


def test_spans_follow_their_words() -> None:
    source = r"we use \textbf{deep $\alpha$ learning} now"
    words = ["deep", r"$\alpha$", "learning", "now"]
    spans = tuple((source.index(word), source.index(word) + len(word)) for word in words)
    text, moved = readable(source, spans)
    assert [text[start:end] for start, end in moved] == ["deep", "α", "learning", "now"]


def test_a_span_whose_characters_vanish_is_dropped() -> None:
    assert readable(r"\emph{x}", ((0, 5),)) == ("x", ())


@given(st.text(alphabet=r"\${}^_ abαtextbffracsqrt'%0", max_size=120), st.integers(0, 120), st.integers(0, 120))
def test_any_text_is_read_without_an_error_and_spans_stay_inside(text: str, start: int, end: int) -> None:
    shown, moved = readable(text, ((min(start, len(text)), min(end, len(text))),))
    assert all(0 <= left <= len(shown) and right <= len(shown) for left, right in moved)


@pytest.mark.parametrize("source", ["{" * 20_000, "$" * 20_000, "\\textbf{" * 2_500, "$x^{" * 5_000])
def test_nesting_without_end_is_left_as_it_stands(source: str) -> None:
    assert readable(source)[0] == source
