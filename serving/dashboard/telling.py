"""What came of an item of the list, told with the buttons of a form: on Today and on the page of a contact."""

from __future__ import annotations

from collections.abc import Mapping

from serving.dashboard.numbers import days_from
from serving.dashboard.visit import Visit
from serving.problems import Problem
from serving.worked import Told, work_off

OUTCOMES = ("done", "not_reached", "snoozed", "rejected", "wrong_person", "wrong_number", "no_need")
"""What may come of an item, by the names of feedback."""


async def take(visit: Visit, fields: Mapping[str, str]) -> Told:
    """Store what a form tells of an item.

    Raises
    ------
    Problem
        403 where the reader's key does not allow it, 422 where no button was pressed, 409 where the item is no longer
        in the list.
    """
    contact, action, outcome = (fields.get(name, "") for name in ("contact", "action", "outcome"))
    if not visit.allows("feedback"):
        raise Problem(403, "missing-scope", visit.words.not_allowed)
    if outcome not in OUTCOMES:
        raise Problem(422, "invalid-request", visit.words.which_outcome)
    until = fields.get("until") or days_from(visit.now, 1, visit.numbers.zone)
    told = Told(
        outcome,
        reason=fields.get("reason") or None if outcome == "rejected" else None,
        note=fields.get("note") or None,
        until=_morning(until) if outcome == "snoozed" else None,
    )
    await work_off(visit.service, visit.caller, contact, action, told)
    return told


def _morning(day: str) -> str:
    """Return the moment at which a day's work begins, where only the day was given."""
    return f"{day}T07:00:00" if len(day) == len("2026-11-22") else day
