"""The line of what people have to do: scored contacts by their place, and those with a decision and no score yet."""

from __future__ import annotations

from itertools import combinations

from sqlalchemy import text

from features.rows.row_types import DecisionRow, ScoreRow
from features.store import tables
from features.store.dialect import Sql, quoted
from features.store.reading import Reading
from features.store.values import decision_of, score_of

_ASKED = ("owner", "partner", "stage", "work")
"""Columns by which the line may be narrowed."""


_WHOSE = ("owner", "partner")


def _in_line(asked: tuple[str, ...]) -> Sql:
    # Few are somebody's own, and many have the same stage or work: these must not be looked for by their own index.
    is_narrow = any(column in asked for column in _WHOSE)
    told = {column: f"{column} || ''" if is_narrow and column not in _WHOSE else column for column in asked}
    conditions = [f"{told[column]} = :{column}" for column in asked]
    return Sql(
        text(
            f"SELECT {quoted(tables.SCORES.c.keys())} FROM scores "
            f"WHERE {' AND '.join([*conditions, 'behind IS NOT NULL'])} "
            "AND (behind, behind_by_points, contact_id) > (:c, :d, :e) "
            "ORDER BY behind, behind_by_points, contact_id LIMIT :f"
        )
    )


_IN_LINE = {asked: _in_line(asked) for n in range(len(_ASKED) + 1) for asked in combinations(_ASKED, n)}
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
    stage: str | None = None,
    work: str | None = None,
) -> list[ScoreRow]:
    """Return scored contacts with work for people, in their line, behind a place in it.

    Parameters
    ----------
    place
        ``behind``, ``behind_by_points`` and ``contact_id``: who stands there is not returned.
    owner, partner
        Whose contacts, as known when they were scored; None: everybody's.
    stage, work
        In which stage they were then, and which action is for people to do; None: any.
    """
    given = zip(_ASKED, (owner, partner, stage, work), strict=True)
    asked = {column: value for column, value in given if value is not None}
    return [score_of(row) for row in reading._all(_IN_LINE[tuple(asked)], (*asked.values(), *place, most))]


def scored_at(reading: Reading) -> int | None:
    """Return the moment of the last ``nba score``; None where nobody is scored."""
    found = reading._one(_SCORED_AT)
    return None if found is None else int(found[0])


def unscored(reading: Reading, action: str, since: int, before: int, most: int) -> list[DecisionRow]:
    """Return the newest decisions of ours for an action, of identities without scores, in ``[since, before)``."""
    return [decision_of(row) for row in reading._all(_UNSCORED, (action, since, before, most))]
