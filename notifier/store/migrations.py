"""The schema's history: one function a step, applied in order, never edited once released."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.db import Table
from sqlite_utils.migrations import Migrations

from notifier.store.statements import script

migrations = Migrations("notifier")


@migrations()
def m0001_initial(db: Database) -> None:
    for statement in script("0001_initial"):
        db.execute(statement)
    entry = db["entry"]
    assert isinstance(entry, Table)  # noqa: S101 - narrows Table | View for the type checker
    entry.enable_fts(["title", "abstract"], create_triggers=True, tokenize="unicode61 remove_diacritics 2")


@migrations()
def m0002_search(db: Database) -> None:
    """The table is filled when the store is opened, as after every change of the terms."""
    entry = db["entry"]
    assert isinstance(entry, Table)  # noqa: S101 - narrows Table | View for the type checker
    entry.disable_fts()
    for statement in script("0002_search"):
        db.execute(statement)


@migrations()
def m0003_gaps(db: Database) -> None:
    for statement in script("0003_gaps"):
        db.execute(statement)


@migrations()
def m0004_one_paper(db: Database) -> None:
    for statement in script("0004_one_paper"):
        db.execute(statement)


@migrations()
def m0005_source_upkeep(db: Database) -> None:
    for statement in script("0005_source_upkeep"):
        db.execute(statement)


@migrations()
def m0006_delivery_record(db: Database) -> None:
    for statement in script("0006_delivery_record"):
        db.execute(statement)


@migrations()
def m0007_source_news(db: Database) -> None:
    for statement in script("0007_source_news"):
        db.execute(statement)


@migrations()
def m0008_quiet_time(db: Database) -> None:
    for statement in script("0008_quiet_time"):
        db.execute(statement)


@migrations()
def m0009_bounces(db: Database) -> None:
    for statement in script("0009_bounces"):
        db.execute(statement)


@migrations()
def m0010_letters(db: Database) -> None:
    for statement in script("0010_letters"):
        db.execute(statement)


@migrations()
def m0010_questions(db: Database) -> None:
    for statement in script("0010_questions"):
        db.execute(statement)


@migrations()
def m0011_channels(db: Database) -> None:
    for statement in script("0011_channels"):
        db.execute(statement)


@migrations()
def m0012_access(db: Database) -> None:
    for statement in script("0012_access"):
        db.execute(statement)


@migrations()
def m0013_reading(db: Database) -> None:
    for statement in script("0013_reading"):
        db.execute(statement)


@migrations()
def m0014_slack(db: Database) -> None:
    for statement in script("0014_slack"):
        db.execute(statement)


@migrations()
def m0015_api(db: Database) -> None:
    for statement in script("0015_api"):
        db.execute(statement)


@migrations()
def m0016_fragments(db: Database) -> None:
    for statement in script("0016_fragments"):
        db.execute(statement)
