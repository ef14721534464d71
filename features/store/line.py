"""The line of what people have to do: scored contacts by their place, and those with a decision and no score yet."""

from __future__ import annotations

from sqlalchemy import text

from features.rows.row_types import DecisionRow, ScoreRow
from features.store import tables
from features.store.dialect import Sql, quoted
from features.store.reading import Reading, decision_of, score_of


def _in_line(by_owner: bool, by_partner: bool) -> Sql:
    whose = [("owner", "a")] * by_owner + [("partner", "b")] * by_partner
    conditions = [f"{column} = :{name}" for column, name in whose]
    return Sql(
        text(
            f"SELECT {quoted(tables.SCORES.c.keys())} FROM scores "
            f"WHERE {' AND '.join([*conditions, 'behind IS NOT NULL'])} "
            "AND (behind, behind_by_points, contact_id) > (:c, :d, :e) "
            "ORDER BY behind, behind_by_points, contact_id LIMIT :f"
        )
    )


_IN_LINE = {(owner, partner): _in_line(owner, partner) for owner in (False, True) for partner in (False, True)}
_SCORED_AT = Sql(text("SELECT as_of FROM scores LIMIT 1"))
_UNSCORED = Sql(
    text(
        f"SELECT {quoted(tables.DECISIONS.c.keys())} FROM decisions "
        "WHERE action = :a AND coalesce(activated_at, decided_at) >= :b AND coalesce(activated_at, decided_at) < :c "
        "AND chances IS NOT NULL AND NOT EXISTS (SELECT 1 FROM scores WHERE contact_id = decisions.identity) "
        "ORDER BY coalesce(activated_at, decided_at) DESC, decision_id LIMIT :d"
    )
)


def scores_in_line(
    reading: Reading,
    place: tuple[float, float, str],
    most: int,
    *,
    owner: str | None = None,
    partner: str | None = None,
) -> list[ScoreRow]:
    """Return scored contacts with work for people, in their line, behind a place in it.

    Parameters
    ----------
    place
        ``behind``, ``behind_by_points`` and ``contact_id``: who stands there is not returned.
    owner, partner
        Whose contacts, as known when they were scored; None: everybody's.
    """
    whose = [each for each in (owner, partner) if each is not None]
    statement = _IN_LINE[owner is not None, partner is not None]
    return [score_of(row) for row in reading._all(statement, (*whose, *place, most))]


def scored_at(reading: Reading) -> int | None:
    """Return the moment of the last ``nba score``; None where nobody is scored."""
    found = reading._one(_SCORED_AT)
    return None if found is None else int(found[0])


def unscored(reading: Reading, action: str, since: int, before: int, most: int) -> list[DecisionRow]:
    """Return the newest decisions of ours for an action, of identities without scores, in ``[since, before)``."""
    return [decision_of(row) for row in reading._all(_UNSCORED, (action, since, before, most))]
