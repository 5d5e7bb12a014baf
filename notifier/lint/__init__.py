"""Advice on a rule, from what it does to the papers at hand: never a reason to refuse it. Pure.

COMMON      a term that more than a fifth of the papers have
MISNAMED    a category that arXiv does not have, with the nearest one that it has
UNSEEN      a term that none has, with the nearest one that some have
INSIDE      a term that only stands inside addresses, formulas, markup or another script, or in a longer word
EMPTIED     a mute that leaves nothing of what another rule includes
COVERED     a rule that brings nothing another does not bring
NEVER       a condition on age that cannot hold, or hardly can between two digests
AMBIGUOUS   an acronym that papers explain in several ways
"""

from notifier.lint.advice import lint
from notifier.lint.ages import longest_gap
from notifier.lint.findings import Advice, Finding, Flags, hits_of
from notifier.lint.readings import readings

__all__ = ["Advice", "Finding", "Flags", "hits_of", "lint", "longest_gap", "readings"]
