"""What buttons do. Each carries the id of a subscription; whether it is in the presser's reach is looked at anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from notifier.ports import Store
from notifier.slack import verbs
from notifier.slack.asking import Ask, by_id
from notifier.slack.grammar import Command
from notifier.slack.verbs import Result, Tools

Button = Callable[[Store, Ask, Tools, str], Result]


def _verb(name: str) -> Button:
    """The verb of ``/papers`` on the subscription whose id is the button's value."""

    def press(store: Store, ask: Ask, tools: Tools, value: str) -> Result:
        id, _, rest = value.partition(" ")
        return verbs.run(store, ask, tools, Command(verb=name, rest=rest, subscription=id))

    return press


def _unsubscribe(store: Store, ask: Ask, tools: Tools, value: str) -> Result:
    return verbs.removed(store, ask, by_id(store, ask, value))


BUTTONS: Mapping[str, Button] = MappingProxyType(
    {
        "notifier_add": _verb("add"),
        "notifier_pause": _verb("pause"),
        "notifier_preview": _verb("preview"),
        "notifier_resume": _verb("resume"),
        "notifier_undo": _verb("undo"),
        "notifier_unsubscribe": _unsubscribe,
    }
)
