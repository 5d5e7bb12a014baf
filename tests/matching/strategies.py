"""Random rules and entries over a small vocabulary, so that they meet often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from notifier.model import Entry

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)

_VOCABULARY = """
    model models modelling modeling reward rewards fine tuning tuned fine-tuning fine-tuned finetuning finetuned
    GPT 4 GPT-4 GPT4 gpt4s data set dataset data-set datasets on line online on-line in form inform
    RLHF rlhf LoRA loras C++ C# *PO A* 3D π pi α alpha α-divergence $\\alpha$-divergence divergence diffusion fusion
    naïve naive Andr\\'e André Müller's Bayes' Align^2LLaVA Align²LLaVA align2llava 强化学习 强化 学习 GPT模型
    ภาษาไทย ไทย がく かく 한국어 state-of-the-art 10-20 1020 colour colors ﬁne‑tuning fine\u00adtuning Straße STRASSE
    x y z Don’t 3.5 a_b
"""
WORDS = tuple(_VOCABULARY.split())
FIELDS = ("", "", "", "", "title:", "abstract:", "keyword:", "org:")
OTHERS = (
    "upvotes>=5", "upvotes<5", "comments>1", "stars>=1", "authors<=2", "age<3d", "age>=2d", "published>=2026-01-08",
    "published=2026-01", "version>1", "announce:new", "has:code", "source:arxiv", "category:cs", "category:cs.CL",
    "category:cs.*", 'author:"Y. Bengio"', "author:bengio", 'author:"Bengio, Yoshua"', "author:beng*", "author:李飞飞",
    "/gpt-?[0-9]/", "title:/fine/", "*", "topic:tuning",
)  # fmt: skip
TOPICS = {"tuning": "fine-tuning OR topic:models", "models": "model -survey"}

words = st.sampled_from(WORDS)
plain_words = words.filter(lambda word: not word.startswith("$"))


@st.composite
def clauses(draw: st.DrawFn) -> str:
    field = draw(st.sampled_from(FIELDS))
    some = draw(st.lists(words, min_size=1, max_size=3))
    match draw(st.integers(0, 9)):
        case 0 | 1 | 2 | 3:
            return field + some[0]
        case 4 | 5:
            return f'{field}"{" ".join(some)}"'
        case 6:
            return f'{field}"{" ".join((some * 2)[:3])}"~{draw(st.integers(0, 3))}'
        case 7:
            return f"{field}={some[0]}"
        case 8:
            return f"{field}{draw(st.sampled_from(('mod*', 'fin*', 'gp*', 'fine-tu*')))}"
        case _:
            return draw(st.sampled_from(OTHERS))


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        several.map(" ".join),
        several.map(" AND ".join),
        several.map(lambda each: f"({' OR '.join(each)})"),
        several.map(lambda each: f"({' or '.join(each)})"),
        inner.map(lambda each: f"-({each})"),
        inner.map(lambda each: f"NOT {each}"),
    )


rules = st.recursive(clauses(), _combined, max_leaves=6)

_text = st.lists(
    st.tuples(st.one_of(words, words, words, st.text(max_size=4)), st.sampled_from((" ", " ", " ", "-", ", ", "\n"))),
    max_size=12,
).map(lambda pairs: "".join(word + gap for word, gap in pairs))

entries = st.builds(
    Entry,
    id=st.just("x"),
    title=_text,
    abstract=_text,
    keywords=st.lists(_text, max_size=2).map(tuple),
    organization=st.none() | _text,
    authors=st.lists(
        st.sampled_from(("Yoshua Bengio", "Bengio, Yoshua", "Y. Bengio", "Samy Bengio", "李飞飞", "Ada Lovelace")),
        max_size=3,
    ).map(tuple),
    categories=st.lists(st.sampled_from(("cs.CL", "cs.LG", "csx", "math.AG")), max_size=2).map(tuple),
    sources=st.lists(st.sampled_from(("arxiv", "huggingface")), max_size=2).map(tuple),
    upvotes=st.none() | st.integers(0, 9),
    comments=st.none() | st.integers(0, 3),
    stars=st.none() | st.integers(0, 3),
    version=st.none() | st.integers(1, 3),
    num_authors=st.none() | st.integers(1, 4),
    code_url=st.none() | st.just("https://example.org"),
    announce=st.sampled_from((None, "new", "cross")),
    published_at=st.none() | st.integers(0, 20).map(lambda days: NOW - timedelta(days=days)),
)
