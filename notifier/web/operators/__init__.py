"""The operator's pages, under ``/operator``: for the addresses in the setting ``operators``, Not found for others.

Whatever is done here is on record with who did it (``rights.do``), in the transaction that does it.
"""

from notifier.web.operators import bounces, deliveries, overview, people, setup, sources

ROUTERS = (overview.router, deliveries.router, sources.router, bounces.router, people.router, setup.router)

__all__ = ["ROUTERS"]
