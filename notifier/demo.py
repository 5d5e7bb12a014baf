"""The main job on bundled entries: ten days lived through in seconds, into an outbox, with no network."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from itertools import groupby
from pathlib import Path

from notifier.account import Wish, add_subscriber, subscribe
from notifier.app import App
from notifier.cadence import describe
from notifier.collect import absorb
from notifier.edit import Author, add_rule
from notifier.errors import UsageError
from notifier.model import Cadence, DeliveryState, Every, Mode, Sighting, Subscription
from notifier.ports import Store
from notifier.settings import Settings
from notifier.sources import read_lines
