"""What buttons do. Each carries the id of a subscription; whether it is in the presser's reach is looked at anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from notifier.ports import Store
from notifier.slack import entries, forms, joining, verbs
from notifier.slack.asking import Ask, by_id
from notifier.slack.grammar import Command
from notifier.slack.work import Result, Tools

Button = Callable[[Store, Ask, Tools, dict[str, Any]], Result]


def _value(body: dict[str, Any]) -> str:
    return str(body["actions"][0].get("value", ""))


def _verb(name: str) -> Button:
    """The verb of ``/papers`` on the subscription whose id begins the button's value; the rest is what it is given."""

    def press(store: Store, ask: Ask, tools: Tools, body: dict[str, Any]) -> Result:
        id, _, rest = _value(body).partition(" ")
        return verbs.VERBS[name](store, ask, tools, Command(verb=name, rest=rest, subscription=id))

    return press


def _unsubscribe(store: Store, ask: Ask, tools: Tools, body: dict[str, Any]) -> Result:
    return joining.removed(store, ask, by_id(store, ask, _value(body)))


def _edit(store: Store, ask: Ask, tools: Tools, body: dict[str, Any]) -> Result:
    return forms.opened(store, ask, tools, _value(body))


BUTTONS: Mapping[str, Button] = MappingProxyType(
    {
        "notifier_add": _verb("add"),
        "notifier_edit": _edit,
        "notifier_entry": entries.chosen,
        "notifier_pause": _verb("pause"),
        "notifier_preview": _verb("preview"),
        "notifier_resume": _verb("resume"),
        "notifier_undo": _verb("undo"),
        "notifier_unsubscribe": _unsubscribe,
        forms.TRY: forms.tried,
    }
)
FORMS: Mapping[str, Button] = MappingProxyType({forms.EDIT: forms.saved, entries.TERMS: entries.added})
SHORTCUTS: Mapping[str, Button] = MappingProxyType(
    {"notifier_why": entries.why_message, "notifier_rule": entries.rule_from_message}
)
