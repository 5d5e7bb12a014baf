"""Which entries match which rules, and why. Pure: text and entries in, queries, bitsets and evidence out.

normalize, lemma, spelling    text to atoms, as they are compared
query, clauses, parser        rule text to a Query; normal, formatting: its one normal form and canonical text
sequence, names, values       what a clause means for one text, one name, one value
categories                    names that mean one category
lexicon, index                entries made ready for any number of rules
hashing, phrases, compiled    rules made ready for any number of windows
evaluation                    all rules against all entries
ruleset, shelf                every rule text, compiled once; a rule set as bytes and back
kept                          entries that rules are tried on while somebody types
fanout                        rows of rules to the entries of each subscription
terms, divisions, narrowing   what a store keeps of the words of an entry, and what a query asks of it
explain                       one rule, one entry: the evidence, or the clause that failed
"""

from notifier.matching.categories import SAME
from notifier.matching.compiled import Compiled, compile_rules
from notifier.matching.evaluation import evaluate, match, positions
from notifier.matching.explain import Verdict, explain, verdict
from notifier.matching.fanout import Groups, Selection, select
from notifier.matching.formatting import format_query, meaning
from notifier.matching.index import Index
from notifier.matching.kept import KeptIndex, rows_of
from notifier.matching.narrowing import Bounds, narrow, vocabulary
from notifier.matching.parser import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, Topics, parse
from notifier.matching.query import Query, grows
from notifier.matching.ruleset import BROKEN, Matches, RuleSet, collector_paused

__all__ = [
    "BROKEN",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_TERMS",
    "SAME",
    "Bounds",
    "Compiled",
    "Groups",
    "Index",
    "KeptIndex",
    "Matches",
    "Query",
    "RuleSet",
    "Selection",
    "Topics",
    "Verdict",
    "collector_paused",
    "compile_rules",
    "evaluate",
    "explain",
    "format_query",
    "grows",
    "match",
    "meaning",
    "narrow",
    "parse",
    "positions",
    "rows_of",
    "select",
    "verdict",
    "vocabulary",
]
