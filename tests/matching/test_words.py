"""What counts as the same word, and what must not."""

from __future__ import annotations

import pytest

from notifier.matching import Index, evaluate, parse
from notifier.matching.lemma import lemma
from notifier.model import Entry
from tests.matching.strategies import NOW


def holds(rule: str, **fields: object) -> bool:
    entry = Entry(id="x", **{"title": "", **fields})  # type: ignore[arg-type]
    return bool(evaluate(Index([entry], now=NOW), [parse(rule)])[0, 0])


@pytest.mark.parametrize(
    "forms",
    [
        "model models",
        "query queries",
        "tune tuned tuning",
        "analysis analyses",
        "matrix matrices",
        "criterion criteria",
        "optimise optimize optimised optimizing",
        "optimisation optimization",
        "colour color colours",
        "modelling modeling modelled",
        "behaviour behaviors",
        "centre center centres",
        "analyse analyze analysing",
        "RLHF rlhf RLHFs",
        "LoRA lora LoRAs",
        "ImageNet imagenet ImageNets",
        "GAN GANs",
        "embedding embeddings",
        "pretraining pretrained",
        "finetuned finetuning",
    ],
)
def test_inflections_and_spellings_are_one(forms: str) -> None:
    first, *others = forms.split()
    for other in others:
        assert holds(first, title=f"On {other} here")
        assert holds(other, title=f"On {first} here")


@pytest.mark.parametrize(
    "pair",
    [
        "organ organization",
        "universe university",
        "import important",
        "policy police",
        "adverse adversarial",
        "physics physical",
        "general generation",
        "four for",
        "filling filing",
        "fusion diffusion",
    ],
)
def test_derivations_and_lookalikes_are_not(pair: str) -> None:
    left, right = pair.split()
    assert not holds(left, title=right)
    assert not holds(right, title=left)
    assert lemma(left) != lemma(right)


@pytest.mark.parametrize(
    "group",
    [
        ["fine-tuning", "fine tuning", "finetuning", "fine‑tuning", "fine\u00adtuning", "Fine–Tuned", "ﬁne-tuning"],
        ["GPT-4", "GPT4", "GPT 4"],
        ["dataset", "data set", "data-set"],
        ["Align^2LLaVA", "Align²LLaVA", "Align$^2$LLaVA"],
        ["$\\alpha$-divergence", "α-divergence", "alpha divergence"],
        ["André", "Andr\\'e", "Andr{\\'e}", "Andre", "ANDRE\u0301"],
        ["Erdős", "Erd\\H{o}s", "Erdos"],
        ["C++"],
        ["C#"],
        ["3D"],
        ["π"],
        ["*PO"],
        ["A*"],
        ["naïve", "naive"],
        ["$k$-means", "k-means"],
        ["Bayes’", "Bayes'", "Bayes"],
        ["model’s", "models"],
        ["ＧＰＴ", "GPT"],
    ],
)
def test_joints_accents_and_markup_do_not_matter(group: list[str]) -> None:
    for rule in group:
        for text in group:
            assert holds(rule, title=f"An {text} here"), (rule, text)
            assert holds(f'"{rule}"', title=f"An {text} here"), (rule, text)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("inform", "in form"),
        ('"in form"', "we inform you"),
        ("notable", "not able"),
        ("1020", "10-20"),
        ("GPT-4", "GPT-4o"),
        ("C++", "vitamin C"),
        ("C#", "C++"),
        ("=RLHF", "rlhf"),
        ("かく", "がく"),
        ('"reward model"', "reward. A model"),
    ],
)
def test_what_must_not_match(rule: str, text: str) -> None:
    assert not holds(rule, title=text)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("强化学习", "基于强化学习的方法"),
        ("学习", "强化学习"),
        ("GPT模型", "大型GPT模型研究"),
        ("ไทย", "ภาษาไทย"),
        ("한국", "한국어 모델"),
        ("がく", "かがくの"),
    ],
)
def test_scripts_without_spaces_match_by_substring(rule: str, text: str) -> None:
    assert holds(rule, title=text)


def test_a_phrase_does_not_cross_fields() -> None:
    assert not holds('"reward model"', title="reward", abstract="model")
    assert not holds('"reward model"', keywords=("reward", "model"))


def test_words_look_in_title_abstract_and_keywords_only() -> None:
    assert holds("x", abstract="x")
    assert holds("x", keywords=("x",))
    assert not holds("google", organization="Google", authors=("Google",))


@pytest.mark.parametrize(
    "rule", ['"Y. Bengio"', "bengio", '"Bengio, Yoshua"', '"Yoshua Bengio"', "beng*", '"Bengio Y"']
)
@pytest.mark.parametrize("name", ["Yoshua Bengio", "Bengio, Yoshua", "Y. Bengio", "Yoshua J. Bengio"])
def test_author_forms(rule: str, name: str) -> None:
    assert holds(f"author:{rule}", authors=("Ada Lovelace", name))


def test_an_author_is_one_person() -> None:
    assert not holds('author:"Yoshua Bengio"', authors=("Samy Bengio", "Yoshua Benning"))
    assert not holds('author:"Y. Bengio"', authors=("Samy Bengio",))


def test_an_absent_value_makes_a_comparison_false() -> None:
    for rule in ("upvotes>=0", "upvotes<5", "authors<=3", "age<3d", "published>=2000", "version=1", "stars>0"):
        assert not holds(rule)


def test_authors_compares_the_told_number() -> None:
    assert holds("authors>=200", authors=("A", "B"), num_authors=240)
    assert holds("authors=2", authors=("A", "B"))


def test_a_category_stands_for_what_lies_beneath() -> None:
    for rule in ("category:cs.CL", "category:CS.cl", "category:cs.*", "category:cs"):
        assert holds(rule, categories=("math.AG", "cs.CL"))
    assert not holds("category:cs.C", categories=("cs.CL",))
    assert not holds("category:math", categories=("math-ph",))
