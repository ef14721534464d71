"""The rows of a worklist: who does what to whom, and why, as far as whoever looks at it may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from features.times import iso
from nba.partners.visibility import Sight
from nba.settings.actions import CostByTrait
from training.everybody.everybody import Everybody
from training.plan.gathered import TERMS
from training.plan.planned_day import PlannedDay
from training.plan.stories import Planned, Told, tell

COLUMNS = (
    "rank", "contact_id", "account", "owner", "partner", "executor", "action", "channel", "topic", "product_id",
    "content_id", "event_id", "asset_id", "not_before", "priority", "propensity", "without_action", "value", "lever",
    "context", "cost", "evidence", "reasons",
)  # fmt: skip
"""Of the file, in this order."""

_TO_CARRY_OUT = ("rank", "contact_id", "executor", "action", "channel", "not_before")
"""What somebody needs in order to carry out an action for a contact of whom nothing else is shown."""

Row = dict[str, Any]


def rows_of(planned: PlannedDay, everybody: Everybody, *, advance: Callable[[int], None]) -> list[Row]:
    """Return a row for each planned action that the viewer may see, mandatory ones first, then by priority.

    ``rank`` counts the rows that are shown.

    Parameters
    ----------
    advance
        Told of rows as they are done.
    """
    shown = [at for at in ranked(planned) if is_shown(planned, at)]
    stories = _stories(planned, everybody, shown, advance)
    rows = []
    for rank, at in enumerate(shown, start=1):
        sight = planned.gathered.sight.get(int(planned.pool.contact[at]))
        row = _row(planned, at, stories[at])
        rows.append({"rank": rank, **(row if sight is None else _seen(row, sight, _cost_trait(planned, at)))})
    return rows


def ranked(planned: PlannedDay) -> list[int]:
    """Return the candidates that are done, mandatory ones first, then by priority."""
    done = np.flatnonzero(planned.done)
    duty = np.array([False, *(action.class_ == "mandatory" for action in planned.catalogue.actions)])
    pool = planned.pool
    order = np.lexsort((pool.column[done], pool.contact[done], -pool.priority[done], ~duty[pool.column[done]]))
    found: list[int] = done[order].tolist()
    return found


def is_shown(planned: PlannedDay, at: int) -> bool:
    """Whether the viewer sees that this is done: where nothing led to it is shown, only what its own side does."""
    sight = planned.gathered.sight.get(int(planned.pool.contact[at]))
    if sight is None or sight.shows("recommendations"):
        return True
    return not sight.is_nothing and executor_of(planned, at) != "partner"


def executor_of(planned: PlannedDay, at: int) -> str:
    """Say who carries it out: sales, where no partner looks after the contact."""
    executor = planned.catalogue.action(int(planned.pool.column[at])).executor
    served = planned.gathered.served[int(planned.pool.contact[at])]
    return executor if executor != "partner" or served else "sales"


def _row(planned: PlannedDay, at: int, told: Told) -> Row:
    gathered, contact = planned.gathered, int(planned.pool.contact[at])
    action = planned.catalogue.action(int(planned.pool.column[at]))
    numbers: list[float] = planned.numbers[at].tolist()
    terms = dict(zip(TERMS, numbers[1:], strict=False))
    lever = planned.catalogue.levers[int(planned.pool.column[at]) - 1]
    return {
        "contact_id": gathered.names[contact],
        "account": gathered.account[contact],
        "owner": gathered.owner[contact],
        "partner": gathered.partner[contact] if gathered.served[contact] else None,
        "executor": executor_of(planned, at),
        "action": action.name,
        "channel": action.channel,
        "topic": told.topic,
        **told.subject.to_json(),
        "not_before": iso(int(numbers[-1])),
        "priority": numbers[0],
        "propensity": terms["propensity"],
        "without_action": terms["without_action"],
        "value": terms["value"],
        "lever": lever,
        "context": terms["context"],
        "cost": terms["cost"],
        "evidence": gathered.evidence[at],
        "reasons": told.reasons,
    }


def _seen(row: Row, sight: Sight, cost_trait: str | None) -> Row:
    """Return a row with null for what is not seen."""
    return {
        name: value if name in _TO_CARRY_OUT or sight.shows(f"plan.{name}", cost_trait) else None
        for name, value in row.items()
    }


def _cost_trait(planned: PlannedDay, at: int) -> str | None:
    """Name the trait that an action's cost stands in; None for one that costs the same for everybody."""
    cost = planned.catalogue.action(int(planned.pool.column[at])).cost
    return cost.trait if isinstance(cost, CostByTrait) else None


def _stories(
    planned: PlannedDay, everybody: Everybody, shown: Sequence[int], advance: Callable[[int], None]
) -> dict[int, Told]:
    """Tell of each candidate that is shown, contact by contact."""
    by_contact: dict[int, list[int]] = {}
    for at in sorted(shown):
        by_contact.setdefault(int(planned.pool.contact[at]), []).append(at)
    asked = [_asked(planned, contact, ats) for contact, ats in by_contact.items()]
    stories = tell(everybody, planned.catalogue.settings, asked, advance=advance)
    return {
        at: told
        for ats, found in zip(by_contact.values(), stories, strict=True)
        for at, told in zip(ats, found, strict=True)
    }


def _asked(planned: PlannedDay, contact: int, ats: Sequence[int]) -> Planned:
    gathered, column = planned.gathered, planned.pool.column
    return Planned(
        gathered.names[contact],
        gathered.points[contact],
        *gathered.stages[contact],
        gathered.by_points[contact],
        tuple((int(column[at]), gathered.calling.get(at)) for at in ats),
    )


def amounts(rows: Sequence[Mapping[str, Any]], by: str) -> dict[str, dict[str, float]]:
    """Add up rows, their priorities and costs by one of their columns, the largest groups first."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        group = found.setdefault(str(row[by] or "-"), {"planned": 0, "priority": 0.0, "cost": 0.0})
        group["planned"] += 1
        group["priority"] += row["priority"] or 0.0
        group["cost"] += row["cost"] or 0.0
    return dict(sorted(found.items(), key=lambda item: (-item[1]["planned"], item[0])))
