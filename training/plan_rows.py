"""The rows of a worklist: who does what to whom, and why, as far as whoever looks at it may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from features.times import iso
from nba.actions import Catalogue
from nba.consent import Ledger
from nba.past import Past
from nba.reasons import Story
from nba.settings.actions import Action
from nba.visibility import Sight
from training.everybody import Everybody
from training.plan_pool import TERMS
from training.planned_day import PlannedDay

COLUMNS = (
    "rank", "contact_id", "account", "owner", "partner", "executor", "action", "channel", "topic", "not_before",
    "priority", "propensity", "without_action", "value", "lever", "context", "cost", "evidence", "reasons",
)  # fmt: skip
"""Of the file, in this order."""

_OF_CONTACT = ("account", "owner", "partner")
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
    stories = _Stories(planned, everybody)
    rows = []
    for rank, at in enumerate(shown, start=1):
        sight = planned.gathered.sight.get(int(planned.pool.contact[at]))
        row = _row(planned, at, stories)
        rows.append({"rank": rank, **(row if sight is None else _seen(row, sight))})
        advance(1)
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


def _row(planned: PlannedDay, at: int, stories: _Stories) -> Row:
    gathered, contact = planned.gathered, int(planned.pool.contact[at])
    action = planned.catalogue.action(int(planned.pool.column[at]))
    numbers: list[float] = planned.numbers[at].tolist()
    terms = dict(zip(TERMS, numbers[1:], strict=False))
    lever = planned.catalogue.levers[int(planned.pool.column[at]) - 1]
    topic, reasons = stories.of(contact, action)
    return {
        "contact_id": gathered.names[contact],
        "account": gathered.account[contact],
        "owner": gathered.owner[contact],
        "partner": gathered.partner[contact] if gathered.served[contact] else None,
        "executor": executor_of(planned, at),
        "action": action.name,
        "channel": action.channel,
        "topic": topic,
        "not_before": iso(int(numbers[-1])),
        "priority": numbers[0],
        "propensity": terms["propensity"],
        "without_action": terms["without_action"],
        "value": terms["value"],
        "lever": lever,
        "context": terms["context"],
        "cost": terms["cost"],
        "evidence": gathered.evidence[at],
        "reasons": reasons,
    }


def _seen(row: Row, sight: Sight) -> Row:
    """Return a row with null for what is not seen."""
    whole = sight.shows("recommendations")
    return {
        name: value if name in _TO_CARRY_OUT or (sight.shows(name) if name in _OF_CONTACT else whole) else None
        for name, value in row.items()
    }


class _Stories:
    """Topics and reasons of actions, each contact's past looked at once while its rows follow each other."""

    def __init__(self, planned: PlannedDay, everybody: Everybody) -> None:
        self._planned = planned
        self._everybody = everybody
        self._told: dict[int, Story] = {}

    def of(self, contact: int, action: Action) -> tuple[str | None, Sequence[str]]:
        """Return what an action is about for a contact, and why it is done."""
        gathered, catalogue = self._planned.gathered, self._planned.catalogue
        if contact not in self._told:
            self._told[contact] = self._story(gathered.names[contact])
        story, points = self._told[contact], gathered.points[contact]
        goal = catalogue.settings.goals.get(action.goal or "")
        called = gathered.by_points[contact] and _calls(catalogue, points, action)
        reasons = story.reasons(
            action, points=points, by_points=called, misses=goal.absence_of if goal is not None else ()
        )
        return story.topic(action, None), reasons

    def _story(self, name: str) -> Story:
        past, as_of, catalogue = self._everybody.past(name), self._everybody.as_of, self._planned.catalogue
        ledger = Ledger(past.touchpoints, as_of, catalogue.channel_of)
        known = past if ledger.may_profile(catalogue.settings.contact_policy.consent) else Past.nothing()
        return Story(known, as_of)


def _calls(catalogue: Catalogue, points: float, action: Action) -> bool:
    """Whether the points table calls for an action."""
    column = catalogue.column[action.name]
    return any(column in columns and threshold.holds(points) for threshold, columns in catalogue.thresholds)


def amounts(rows: Sequence[Mapping[str, Any]], by: str) -> dict[str, dict[str, float]]:
    """Add up rows, their priorities and costs by one of their columns, the largest groups first."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        group = found.setdefault(str(row[by] or "-"), {"planned": 0, "priority": 0.0, "cost": 0.0})
        group["planned"] += 1
        group["priority"] += row["priority"] or 0.0
        group["cost"] += row["cost"] or 0.0
    return dict(sorted(found.items(), key=lambda item: (-item[1]["planned"], item[0])))
