"""What the owner's side sees of everybody, as views and exports ask for it.

It is worked out by ``nba.partners.owner_sights``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import text

from features.rows.row_types import ScoreRow, SightRow
from features.rows.schema import PARTNERS
from features.store import tables
from features.store.dialect import Sql, once
from features.store.reading import Reading
from features.store.sight_marks import COUNTED_AS
from features.store.tombstones import of_identity
from features.store.view_words import AGREES
from features.store.writing import Writing

_BEGUN = once(tables.RECORD_CHANGES, otherwise='(table_name) DO UPDATE SET "number" = record_changes."number" + 1')
_NUMBER = Sql(text(f"SELECT \"number\" FROM record_changes WHERE table_name = '{COUNTED_AS}'"))
_OF_TERMS = f"{COUNTED_AS} {PARTNERS.name}"
"""The row of ``record_changes`` with the number that partners had when the sights were put down."""
_TERMS = once(tables.RECORD_CHANGES, otherwise='(table_name) DO UPDATE SET "number" = excluded."number"')
_ENDED = Sql(text("SELECT 1 FROM owner_sights WHERE until <= :a LIMIT 1"))
_MARKED = Sql(text("SELECT identity FROM owner_sights WHERE shows IS NULL"))
_UNMARK = "DELETE FROM owner_sights WHERE shows IS NULL"
_FORGET = "DELETE FROM owner_sights"
_SIGHT = once(tables.OWNER_SIGHTS)
_SIGHTS = Sql(
    text(
        "SELECT identity, contact_id, named, partner, account, owner, shows, until FROM owner_sights ORDER BY identity"
    )
)
_NAMES = Sql(
    text(
        "SELECT identity FROM touchpoints UNION SELECT identity FROM contacts UNION SELECT identity FROM link_ends "
        "UNION SELECT identity FROM decisions UNION SELECT contact_id FROM scores ORDER BY 1"
    )
)
_SHOWN = (
    "FROM scores AS s JOIN owner_sights AS w ON w.identity = s.contact_id "
    f"WHERE w.shows IS NOT NULL AND (w.until IS NULL OR w.until > :a) AND {AGREES}"
)
_WITH_SIGHT = (
    "SELECT s.contact_id, s.as_of, s.stage, s.points, s.body, s.model_version, "
    f"w.identity, w.contact_id, w.named, w.partner, w.account, w.owner, w.shows, w.until {_SHOWN}"
)
_SCORES = Sql(text(f"{_WITH_SIGHT} ORDER BY s.contact_id"))
_SCORE = Sql(text(f"{_WITH_SIGHT} AND s.contact_id = :b"))
_COUNTED = Sql(text(f"SELECT count(*) {_SHOWN}"))


def begin_sights(writing: Writing) -> int:
    """Begin to work out sights anew: from here on it is noted whose belonging changes.

    Returns
    -------
    int
        For ``save_sights``.
    """
    writing._many(_BEGUN, [(COUNTED_AS, 1)])
    writing._cursor.execute(_UNMARK)
    return _number(writing.seen)


def save_sights(writing: Writing, rows: Iterable[SightRow], number: int) -> bool:
    """Put these sights in the place of all there were, but of contacts that have changed since ``begin_sights``.

    Parameters
    ----------
    number
        What ``begin_sights`` returned.

    Returns
    -------
    bool
        False where somebody else has begun since: nothing was changed, theirs will be newer.
    """
    if _number(writing.seen) != number:
        return False
    marked = {row[0] for row in writing.seen._all(_MARKED)}
    kept = writing.erased.without(list(rows), of_identity)
    changed = {row.contact_id for row in kept if row.identity in marked}
    writing._cursor.execute(_FORGET)
    writing._many(_SIGHT, [row for row in kept if row.contact_id not in changed])
    writing._many(_SIGHT, [SightRow(name, name) for name in sorted(marked)])
    writing._many(_TERMS, [(_OF_TERMS, writing.seen.record_changes().get(PARTNERS.name, 0))])
    return True


def are_behind_terms(reading: Reading, at: int) -> bool:
    """Whether terms of partners were changed, or have begun or ended by a moment, since the sights were put down.

    Not where none ever were: nobody has looked at views yet.
    """
    changes = reading.record_changes()
    if COUNTED_AS not in changes:
        return False
    return changes.get(PARTNERS.name, 0) != changes.get(_OF_TERMS, 0) or reading._one(_ENDED, (at,)) is not None


def sight_rows(reading: Reading) -> Iterator[SightRow]:
    """Return every sight, by identity; ``shows`` is None where it is out of date."""
    return map(SightRow._make, reading._stream(_SIGHTS, ()))


def known_names(reading: Reading) -> Iterator[str]:
    """Return every identity that the store has heard of, each once, in order."""
    return (row[0] for row in reading._stream(_NAMES, ()))


def scores_with_sight(reading: Reading, at: int) -> Iterator[tuple[ScoreRow, SightRow]]:
    """Return scores with the sight of their contacts, by contact, where it is up to date at a moment."""
    return map(_with_sight, reading._stream(_SCORES, (at,)))


def score_with_sight(reading: Reading, contact_id: str, at: int) -> tuple[ScoreRow, SightRow] | None:
    """Return what ``scores_with_sight`` has of one contact; None where it has nothing."""
    found = reading._one(_SCORE, (at, contact_id))
    return None if found is None else _with_sight(found)


def _with_sight(row: Sequence[Any]) -> tuple[ScoreRow, SightRow]:
    contact_id, as_of, stage, points, body, version = row[:6]
    return ScoreRow(contact_id, as_of, stage, points, orjson.loads(body), version), SightRow._make(row[6:])


def state_of_scores(reading: Reading, at: int) -> tuple[int, int, int]:
    """Return what is another one whenever ``scores_with_sight`` would return anything else.

    Between two scorings, and between two times that sights are put down, scores only drop out: so their number tells.
    """
    changes = reading.record_changes()
    shown = reading._all(_COUNTED, (at,))[0][0]
    return changes.get(tables.SCORES.name, 0), changes.get(COUNTED_AS, 0), int(shown)


def _number(reading: Reading) -> int:
    found = reading._one(_NUMBER)
    return 0 if found is None else int(found[0])
