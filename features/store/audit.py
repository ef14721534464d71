"""The audit log: who did what, when and why, each entry chained to the one before by its hash.

Entries are only ever appended. A change of one, or one taken out of the middle, breaks the chain from there on. What
was cut off at the end shows where something outside remembers the last hash, as a version in MLflow does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from features.rows.row_types import AuditRow
from features.store.writing import Writing

FIRST = "0" * 64
"""What stands in the place of the hash before the first entry."""


@dataclass(frozen=True)
class Chain:
    """How far an audit log holds.

    Attributes
    ----------
    entries
        How many entries in order hold.
    last
        Hash of the last of them; ``FIRST`` where there is none.
    fault
        What is wrong with the next one, in words; None where all hold.
    """

    entries: int
    last: str
    fault: str | None = None


def append(
    writing: Writing,
    *,
    at: int,
    by: str,
    what: str,
    subject: str,
    reason: str,
    details: Mapping[str, object] | None = None,
) -> AuditRow:
    """Append an entry within a transaction; no other writer comes between, so that the chain never forks.

    Parameters
    ----------
    writing
        The transaction; what else it writes is there together with the entry, or neither is.
    at
        When, in microseconds.
    by
        Whose doing: a sign-in, an account of the system, or a command that acts by itself.
    what
        Such as "promotion" or "rollback".
    subject
        What it was done to, such as "version 3 of nba"; never data of a person.
    reason
        As it was given.
    details
        JSON-able.
    """
    before = writing.seen.last_audit_row()
    number, chained = (1, FIRST) if before is None else (before.number + 1, before.hash)
    plain = orjson.dumps(dict(details or {}), option=orjson.OPT_SORT_KEYS).decode()
    row = AuditRow(number, at, by, what, subject, reason, plain, chained, "")
    row = row._replace(hash=hash_of(row))
    writing.audit(row)
    return row


def hash_of(row: AuditRow) -> str:
    """SHA-256 of an entry with the hash of the one before.

    Examples
    --------
    >>> row = AuditRow(1, 0, "me", "promotion", "version 1 of nba", "better", "{}", FIRST, "")
    >>> hash_of(row) == hash_of(row._replace(reason="Better"))
    False
    """
    return hashlib.sha256(orjson.dumps(list(row[:-1]))).hexdigest()


def check(rows: Iterable[AuditRow]) -> Chain:
    """Follow the chain from the first entry as far as it holds.

    Parameters
    ----------
    rows
        In the order of their numbers, as ``Store.audit_rows`` gives them.
    """
    entries, last = 0, FIRST
    for row in rows:
        if row.number != entries + 1:
            return Chain(entries, last, f"entry {entries + 1} is missing; the next one is {row.number}")
        if row.before != last:
            return Chain(entries, last, f"entry {row.number} does not follow the one before it: one was changed")
        if row.hash != hash_of(row):
            return Chain(entries, last, f"entry {row.number} was changed after it was written")
        entries, last = row.number, row.hash
    return Chain(entries, last)
