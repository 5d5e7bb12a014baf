"""British spellings to American ones, for comparing only: what comes out is never shown.

Lists where a pattern would confuse two words (four is not "for", filling is not "filing").
"""

from __future__ import annotations

import re
from collections.abc import Callable

_OUR = (
    "colour|behaviour|neighbour|favour|honour|labour|vapour|tumour|humour|rumour|flavour|harbour|endeavour|odour|vigour"
    "|armour|rigour|savour|valour|fervour|clamour|splendour|demeanour|candour|ardour|parlour|saviour"
)
_DOUBLED = (
    "model|label|travel|signal|cancel|channel|tunnel|fuel|level|marshal|total|dial|counsel|panel|initial|spiral|parcel"
    "|pencil|quarrel|rival|shovel|unravel|funnel|marvel|duel|chisel|grovel|kernel|revel|swivel|trial|barrel|stencil"
    "|jewel|tranquil|enrol|fulfil"
)
_RE = "cent|fib|lit|theat|calib|lust|spect|sab|somb|meag|och|mit|goit"
_WORDS = {
    "aluminium": "aluminum",
    "artefact": "artifact",
    "defence": "defense",
    "enrol": "enroll",
    "fulfil": "fulfill",
    "grey": "gray",
    "judgement": "judgment",
    "licence": "license",
    "mould": "mold",
    "offence": "offense",
    "plough": "plow",
    "practise": "practice",
    "pretence": "pretense",
    "programme": "program",
    "skilful": "skillful",
    "towards": "toward",
    "tyre": "tire",
    "whilst": "while",
    "ageing": "aging",
}
_PATTERNS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(_OUR), lambda match: match.group()[:-2] + "r"),
    (re.compile(rf"({_DOUBLED})l(?=$|ed$|ing$|er$|ers$|ist$|able$|ation$|ings$)"), r"\1"),
    (re.compile(rf"^({_RE})re(s?)$"), r"\1er\2"),
    (re.compile(r"(met)re(s?)$"), r"\1er\2"),
    (re.compile(r"^(cent)r(ed|ing)$"), r"\1er\2"),
    (re.compile(r"(catalog|dialog|analog|monolog|homolog|epilog)ue"), r"\1"),
    (re.compile(r"(acknowledg|abridg)ement"), r"\1ment"),
    (re.compile(r"lys(e|ed|ing|er|ers)$"), r"lyz\1"),
    (re.compile(r"([a-z]{3}|[ae]l|[fl]in)is(e|es|ed|er|ers|ing|ation|ations|able)$"), r"\1iz\2"),
    (re.compile(r"aemi|aemo"), lambda match: match.group()[1:]),
    (re.compile(r"^(an|)aesthe"), r"\1esthe"),
    (re.compile(r"^paed(?=i)|paed(?=ic)"), "ped"),
    (re.compile(r"foet"), "fet"),
    (re.compile(r"oestr"), "estr"),
    (re.compile(r"oesoph"), "esoph"),
    (re.compile(r"diarrhoe"), "diarrhe"),
    (re.compile(r"gynaec"), "gynec"),
    (re.compile(r"^palaeo"), "paleo"),
    (re.compile(r"^aetio"), "etio"),
    (re.compile(r"manoeuvr(e|es|ed|ing|able)$"), r"maneuv\1"),
    (re.compile(r"sulph"), "sulf"),
    (re.compile(r"^sceptic"), "skeptic"),
)
_NEEDS_WORK = re.compile(r"our|ll|re|logue|ement|lys|is[aei]|aem|aes|aed|oe|aec|aeo|aet|lph|scep")


def american(word: str) -> str:
    """The American spelling of a lower-case word, where it is spelled the British way."""
    if word in _WORDS:
        return _WORDS[word]
    if not _NEEDS_WORK.search(word):
        return word
    for pattern, replacement in _PATTERNS:
        word = pattern.sub(replacement, word)
    return word
