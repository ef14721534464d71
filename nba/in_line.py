"""The line of what people have to do: which of a scored contact's actions it is, and how far behind it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nba.settings.actions import Action

if TYPE_CHECKING:
    from features.rows.row_types import ScoreRow

BY_PEOPLE = ("sales", "partner")
"""The executors that are people."""

IN_PERSON = ("phone", "call", "visit", "field", "meeting", "personal")
"""Channels on which somebody has to speak, whatever the settings say of the executor."""

LAST = 1e12
"""How far behind stands what has no priority: behind everything that has one."""

Place = tuple[float, float, str]
"""A place in the line: how far behind by priority, among equals by points, and whose it is. They sort as they stand."""

BEGIN: Place = (-1e300, -1e300, "")
"""The place before the first."""


def is_for_people(action: Action | None) -> bool:
    """Whether people carry an action out."""
    return action is not None and (action.executor in BY_PEOPLE or action.channel in IN_PERSON)


def place_of(priority: float | None, points: float | None, contact_id: str) -> Place:
    """Return the place in the line of a priority, and among equal ones of points.

    Examples
    --------
    >>> place_of(106.8, 265.0, "crm:1") < place_of(106.8, 10.0, "crm:0") < place_of(None, 900.0, "crm:2")
    True
    """
    return (LAST if priority is None else -priority, -(points or 0.0), contact_id)


def in_line(row: ScoreRow, actions: Mapping[str, Action], traits: Mapping[str, Any]) -> ScoreRow:
    """Return a score with its place in the line, where any of its best actions is for people.

    Parameters
    ----------
    traits
        What was known of the contact when it was scored.
    """
    work, priority = _work(row.body, actions)
    if work is None:
        return row
    behind, behind_by_points, _ = place_of(priority, row.points, row.contact_id)
    return row._replace(
        work=work,
        behind=behind,
        behind_by_points=behind_by_points,
        owner=_text(traits.get("owner")),
        partner=_text(traits.get("partner")),
    )


def _work(body: Mapping[str, object], actions: Mapping[str, Action]) -> tuple[str | None, float | None]:
    rank = 1
    while f"action_{rank}" in body:
        name, priority = body[f"action_{rank}"], body[f"priority_{rank}"]
        if isinstance(name, str) and is_for_people(actions.get(name)):
            return name, float(priority) if isinstance(priority, int | float) else None
        rank += 1
    return None, None


def _text(value: object) -> str | None:
    return None if value in (None, "") else str(value)
