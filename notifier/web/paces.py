"""How often one address may do a thing. In memory: a restart forgives, and pages are served by one process."""

from __future__ import annotations

import math
from collections import OrderedDict
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

_KEPT = 100_000
# What one household or one machine has at its disposal.
_IPV6_PREFIX = 64
# A neighbourhood may do as much as this many of its members.
_NEIGHBOURS = 10


class Paces:
    """Buckets that refill evenly: ``times`` at once, then one every ``per / times``."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], tuple[float, datetime]] = OrderedDict()

    def wait(self, name: str, address: str, times: int, per: timedelta, now: datetime) -> int:
        """0 and one is taken; or the whole seconds until there is one again."""
        mine, near = _networks(address)
        asked = ((mine, times), (near, times * _NEIGHBOURS))
        left = {who: self._left(name, who, most, per, now) for who, most in asked}
        missing = [(1 - left[who]) * per.total_seconds() / most for who, most in asked if left[who] < 1]
        if missing:
            return math.ceil(max(missing))
        for who, count in left.items():
            self._buckets[name, who] = (count - 1, now)
            self._buckets.move_to_end((name, who))
        while len(self._buckets) > _KEPT:
            self._buckets.popitem(last=False)
        return 0

    def _left(self, name: str, who: str, most: int, per: timedelta, now: datetime) -> float:
        count, at = self._buckets.get((name, who), (float(most), now))
        return min(float(most), count + max(0.0, (now - at) / per) * most)


def _networks(address: str) -> tuple[str, str]:
    """The address as one party, and its neighbourhood: /24 and /48."""
    try:
        found = ip_address(address)
    except ValueError:
        return address, f"near {address}"
    own, near = (32, 24) if found.version == 4 else (_IPV6_PREFIX, 48)
    return str(ip_network((found, own), strict=False)), f"near {ip_network((found, near), strict=False)}"
