"""The trail of what was done about people: entries of the audit log that name nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from features.rows.row_types import AuditRow
from features.store import audit, erasing
from features.store.reading import Reading
from features.store.tombstones import digest_of, key_of
from features.store.writing import Writing
from nba.privacy.person import Person

IDENTITIES = "identities"
"""The detail with the digests of every identity of the person at that time."""


def noted(
    writing: Writing,
    person: Person,
    what: str,
    *,
    reason: str,
    by: str,
    at: int,
    details: Mapping[str, object] | None = None,
) -> AuditRow:
    """Append an entry about a person: its subject is a digest under the store's own key.

    Parameters
    ----------
    what
        Such as "erasure".
    at
        When, in microseconds.
    details
        JSON-able, without a name or a value of the person.
    """
    if key_of(writing.seen) is None:
        erasing.bury(writing, (), at)
    digests = {name: _digest(writing.seen, name) for name in (person.contact.contact_id, *person.identities)}
    return audit.append(
        writing,
        at=at,
        by=by,
        what=what,
        subject=f"person {digests[person.contact.contact_id]}",
        reason=reason,
        details={**(details or {}), IDENTITIES: sorted(set(digests.values()))},
    )


def entries_about(store: Reading, identities: Sequence[str]) -> list[AuditRow]:
    """Return what was done about a person: the entries that have the digest of one of these identities."""
    if key_of(store) is None:
        return []
    wanted = {_digest(store, name) for name in identities}
    return [row for row in store.audit_rows() if not wanted.isdisjoint(digests_in(row))]


def digests_in(row: AuditRow) -> list[str]:
    """Return the digests of whom an entry is about, under every identity."""
    found = orjson.loads(row.details).get(IDENTITIES)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _digest(store: Reading, name: str) -> str:
    key = key_of(store)
    if key is None:
        raise ValueError("the store has no key to make digests with")
    return digest_of(key, name)
