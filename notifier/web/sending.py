"""A test: the next digest as it would be, sent at once, beside the ledger."""

from __future__ import annotations

from dataclasses import replace

from notifier.channels import format_of
from notifier.checkup import told
from notifier.explain import preview
from notifier.ids import new_id
from notifier.model import Digest, Subscription
from notifier.ports import Store
from notifier.web.site import Site


async def send_now(house: Site, subscription: Subscription) -> int:
    """How many papers it showed. Raises SendError where the channel does not take it."""
    app, now = house.app, house.now()

    def next_digest(store: Store) -> Digest:
        return preview(
            store,
            app.topics,
            subscription.id,
            look_back=app.settings.look_back,
            sources=told(store, now),
            now=now,
        )

    # An id of its own: mail programs drop what has a Message-ID that they know.
    digest = replace(await house.read(next_digest), delivery_id=new_id("d"))
    message = house.renderer.render(digest, format_of(subscription.address.kind), now=now)
    await house.channel(subscription.address.kind).send(message)
    return len(digest.items)
