"""TeX as readers see it: ``$\\alpha$`` as α, ``\\textbf{x}`` as x. What is not understood is left as it stands.

Pure. Spans into the source are carried along, so that marks stay on their words.
"""

from __future__ import annotations

import re

Spans = tuple[tuple[int, int], ...]

_TABLE = """
    alpha α  beta β  gamma γ  delta δ  epsilon ε  varepsilon ε  zeta ζ  eta η  theta θ  vartheta ϑ  iota ι  kappa κ
    mu μ  nu ν  xi ξ  pi π  rho ρ  sigma σ  tau τ  upsilon υ  phi φ  varphi φ  chi χ  psi ψ  omega ω  Gamma Γ  Delta
    Δ  Theta Θ  Lambda Λ  Xi Ξ  Pi Π  Sigma Σ  Upsilon Υ  Phi Φ  Psi Ψ  Omega Ω  times ×  cdot ·  pm ±  mp ∓  le ≤
    leq ≤  ge ≥  geq ≥  ll ≪  gg ≫  ne ≠  neq ≠  approx ≈  sim ∼  simeq ≃  equiv ≡  propto ∝  infty ∞  partial ∂
    nabla ∇  ell ℓ  hbar ℏ  to →  rightarrow →  leftarrow ←  Rightarrow ⇒  leftrightarrow ↔  mapsto ↦  uparrow ↑
    downarrow ↓  subset ⊂  subseteq ⊆  cup ∪  cap ∩  emptyset ∅  forall ∀  exists ∃  neg ¬  land ∧  lor ∨  oplus ⊕
    otimes ⊗  circ ∘  star ⋆  ast ∗  langle ⟨  rangle ⟩  mid |  ldots …  dots …  cdots ⋯  textemdash —  textendash –
    sum ∑  prod ∏  int ∫  prime ′  dagger †  degree °  S §  ss ß  ae æ  AE Æ  oe œ  OE Œ  o ø  O Ø  l ł  L Ł  aa å
    AA Å  i ı  lambda λ  in ∈  notin ∉
"""
_PAIRS = _TABLE.split()
_SYMBOLS = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True)) | {"quad": " ", "qquad": " "}
_SYMBOLS |= {name: name for name in ("log", "exp", "max", "min", "sup", "inf", "arg", "ln", "det", "sin", "cos", "lim")}

_WRAPPERS = frozenset(
    """
    textbf textit textsc texttt textrm textsf textsl textup text emph underline mathrm mathbf mathit mathsf mathtt
    boldsymbol bm operatorname mbox hbox mathcal url
    """.split()  # noqa: SIM905 (a list of words reads better as words)
)
_DECLARATIONS = frozenset("cal bf it em rm sf tt sc displaystyle left right big Big".split())  # noqa: SIM905
_BLACKBOARD = {"R": "ℝ", "N": "ℕ", "Z": "ℤ", "Q": "ℚ", "C": "ℂ", "E": "𝔼", "P": "ℙ"}
_ACCENTS = {"'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302", "~": "\u0303", "=": "\u0304", ".": "\u0307",
            "c": "\u0327", "v": "\u030c", "H": "\u030b", "u": "\u0306", "r": "\u030a", "k": "\u0328"}  # fmt: skip
_OVER = {
    "hat": "\u0302",
    "tilde": "\u0303",
    "bar": "\u0304",
    "dot": "\u0307",
    "ddot": "\u0308",
    "vec": "\u20d7",
}
_RAISED = dict(
    zip("0123456789+-=()abcdefghijklmnoprstuvwxyzT*", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ*", strict=True)
)
_LOWERED = dict(zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))

_COMMAND = re.compile(r"\\([A-Za-z]+)\*?\s*")
_ESCAPED = re.compile(r"\\([%&$#_{} ,;!])")
_ACCENT = re.compile(r"\\(['`\"^~=.]|[cvHurk](?=\{))\s*(?:\{\\?([A-Za-z])\}|\\?([A-Za-z]))")
# As pandoc has it, so that "from $5 to $10" stays money: no space inside the dollars, no digit after the second.
_MATH = re.compile(r"\$(?!\s)([^$]{1,200})(?<!\s)\$(?!\d)|\\\((.{1,200}?)\\\)")
_DEEPEST = 8
_LONGEST_ARGUMENT = 1000
"""Characters up to which a closing brace is looked for, so that braces without end cost nothing."""

Origin = tuple[str, int]


def readable(text: str, spans: Spans = ()) -> tuple[str, Spans]:
    """``text`` with its TeX made readable, and ``spans`` (half-open) moved to where their characters went."""
    if "\\" not in text and "$" not in text:
        return text, spans
    out = _prose(text, 0, len(text), 0)
    return "".join(each for each, _ in out), tuple(_moved(out, spans))


def _moved(out: list[Origin], spans: Spans) -> list[tuple[int, int]]:
    moved = []
    for start, end in spans:
        hits = [(at, at + len(piece)) for at, piece, origin in _placed(out) if start <= origin < end and piece]
        if hits:
            moved.append((hits[0][0], hits[-1][1]))
    return moved


def _placed(out: list[Origin]) -> list[tuple[int, str, int]]:
    placed, at = [], 0
    for piece, origin in out:
        placed.append((at, piece, origin))
        at += len(piece)
    return placed


def _as_is(text: str, start: int, end: int) -> list[Origin]:
    return [(text[at], at) for at in range(start, end)]


def _prose(text: str, start: int, end: int, depth: int) -> list[Origin]:
    out: list[Origin] = []
    at = start
    while at < end:
        if math := _MATH.match(text, at, end):
            inner = _math(text, *math.span(1 if math[1] is not None else 2), depth + 1)
            out += inner if inner is not None else _as_is(text, at, math.end())
            at = math.end()
        elif text[at] == "\\" and (step := _command(text, at, end, depth, math=False)):
            piece, at = step
            out += piece
        else:
            out.append((text[at], at))
            at += 1
    return out


def _math(text: str, start: int, end: int, depth: int) -> list[Origin] | None:
    """What stands between two dollars, or None if any of it is not understood."""
    out: list[Origin] = []
    at = start
    while at < end:
        step = _math_step(text, at, end, depth)
        if step is None:
            return None
        piece, at = step
        out += piece
    return out


def _math_step(text: str, at: int, end: int, depth: int) -> tuple[list[Origin], int] | None:
    if depth > _DEEPEST:
        return None
    if text[at] == "\\":
        return _command(text, at, end, depth, math=True)
    if text[at] in "^_":
        return _script(text, at, end, depth)
    if text[at] == "{":
        close = _closing(text, at, end)
        inner = _math(text, at + 1, close, depth + 1) if close is not None else None
        return None if inner is None or close is None else (inner, close + 1)
    if text[at] in "}~&":
        return ([(" ", at)], at + 1) if text[at] == "~" else None
    return [(text[at], at)], at + 1


def _script(text: str, at: int, end: int, depth: int) -> tuple[list[Origin], int] | None:
    """``x^2`` as x²; a script with a character that Unicode cannot raise or lower is left to the reader."""
    if at + 1 >= end:
        return None
    step = _math_step(text, at + 1, end, depth + 1)
    if step is None:
        return None
    inner, after = step
    table = _RAISED if text[at] == "^" else _LOWERED
    content = "".join(piece for piece, _ in inner)
    if content == "∘" and text[at] == "^":
        return [("°", at)], after
    if content and all(each in table for each in content):
        return [("".join(table[each] for each in piece), origin) for piece, origin in inner], after
    brackets = len(content) > 1
    shown = [(text[at], at), *([("(", at)] if brackets else []), *inner, *([(")", at)] if brackets else [])]
    return shown, after


def _command(text: str, at: int, end: int, depth: int, *, math: bool) -> tuple[list[Origin], int] | None:
    """One command at ``at``: what it shows and where it ends, or None if it is not understood."""
    if accent := _ACCENT.match(text, at, end):
        return [((accent[2] or accent[3]) + _ACCENTS[accent[1]], at)], accent.end()
    if escaped := _ESCAPED.match(text, at, end):
        shown = escaped[1] if escaped[1] not in ",;!" else ("" if escaped[1] == "!" else " ")
        return [(shown, at)], escaped.end()
    command = _COMMAND.match(text, at, end)
    if command is None or depth > _DEEPEST:
        return None
    name, after = command[1], command.end()
    if name in _SYMBOLS:
        swallowed = after if math else at + 1 + len(name)
        return [(_SYMBOLS[name], at)], swallowed
    if name in _DECLARATIONS and math:
        return [], after
    return _with_argument(text, name, after, end, depth, math=math)


def _with_argument(
    text: str, name: str, at: int, end: int, depth: int, *, math: bool
) -> tuple[list[Origin], int] | None:
    close = _closing(text, at, end) if at < end and text[at] == "{" else None
    if close is None:
        return ([], at) if name in _WRAPPERS and math else None
    read = _math if math else _prose
    inner = read(text, at + 1, close, depth + 1)
    if inner is None:
        return None
    if name in _WRAPPERS:
        return inner, close + 1
    content = "".join(piece for piece, _ in inner)
    if name in ("mathbb", "Bbb") and content in _BLACKBOARD:
        return [(_BLACKBOARD[content], at)], close + 1
    if name in _OVER and len(content) == 1:
        return [(content + _OVER[name], at)], close + 1
    if name == "sqrt":
        brackets = len(content) > 1
        return [("√(" if brackets else "√", at), *inner, (")" if brackets else "", at)], close + 1
    if name in ("frac", "tfrac", "dfrac", "href"):
        return _two_arguments(text, name, inner, close + 1, end, depth)
    return None


def _two_arguments(
    text: str, name: str, first: list[Origin], at: int, end: int, depth: int
) -> tuple[list[Origin], int] | None:
    close = _closing(text, at, end) if at < end and text[at] == "{" else None
    if close is None:
        return None
    if name == "href":
        return _prose(text, at + 1, close, depth + 1), close + 1
    second = _math(text, at + 1, close, depth + 1)
    if second is None:
        return None
    return [*_grouped(first, at), ("/", at), *_grouped(second, at)], close + 1


def _grouped(inner: list[Origin], at: int) -> list[Origin]:
    content = "".join(piece for piece, _ in inner)
    return inner if len(content) <= 1 or content.startswith("√") else [("(", at), *inner, (")", at)]


def _closing(text: str, at: int, end: int) -> int | None:
    """Where the brace that opens at ``at`` closes."""
    depth = 0
    for here in range(at, min(end, at + _LONGEST_ARGUMENT)):
        if text[here] in "{}" and text[here - 1] != "\\":
            depth += 1 if text[here] == "{" else -1
            if depth == 0:
                return here
    return None
