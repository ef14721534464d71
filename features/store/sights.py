"""What the owner's side sees of everybody, as views and exports ask for it.

It is worked out by ``nba.partners.owner_sights``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson
from sqlalchemy import text

from features.rows.row_types import ScoreRow, SightRow
from features.store import tables
from features.store.dialect import Sql, once
from features.store.reading import Reading
from features.store.sight_marks import COUNTED_AS
from features.store.tombstones import of_identity
from features.store.view_words import AGREES
from features.store.writing import Writing

_BEGUN = once(tables.RECORD_CHANGES, otherwise='(table_name) DO UPDATE SET "number" = record_changes."number" + 1')
_NUMBER = Sql(text(f"SELECT \"number\" FROM record_changes WHERE table_name = '{COUNTED_AS}'"))
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
_SCORES = Sql(
    text(
        "SELECT s.contact_id, s.as_of, s.stage, s.points, s.body, s.model_version, "
        "w.identity, w.contact_id, w.named, w.partner, w.account, w.owner, w.shows, w.until "
        "FROM scores AS s JOIN owner_sights AS w ON w.identity = s.contact_id "
        f"WHERE w.shows IS NOT NULL AND (w.until IS NULL OR w.until > :a) AND {AGREES} ORDER BY s.contact_id"
    )
)


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
    return True


def sight_rows(reading: Reading) -> Iterator[SightRow]:
    """Return every sight, by identity; ``shows`` is None where it is out of date."""
    return map(SightRow._make, reading._stream(_SIGHTS, ()))


def known_names(reading: Reading) -> Iterator[str]:
    """Return every identity that the store has heard of, each once, in order."""
    return (row[0] for row in reading._stream(_NAMES, ()))


def scores_with_sight(reading: Reading, at: int) -> Iterator[tuple[ScoreRow, SightRow]]:
    """Return scores with the sight of their contacts, by contact, where it is up to date at a moment."""
    for row in reading._stream(_SCORES, (at,)):
        contact_id, as_of, stage, points, body, version = row[:6]
        score = ScoreRow(contact_id, as_of, stage, points, orjson.loads(body), version)
        yield score, SightRow._make(row[6:])


def _number(reading: Reading) -> int:
    found = reading._one(_NUMBER)
    return 0 if found is None else int(found[0])
