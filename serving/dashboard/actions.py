"""Actions: how each is used, what comes of it, what it changes, what it costs, and who it is not offered to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import Response

from models.daily_log import DailyLog
from nba.settings import Settings
from nba.settings.actions import CostByTrait
from serving.dashboard import charts
from serving.dashboard.charts import Bar, Series
from serving.dashboard.pages import Page
from serving.dashboard.visit import Visit
from serving.standing import counts_in, standing_in

PATH = "/actions"
_ALL = "(all)"
"""The row of ``v_action_lift`` for all actions of a placement."""
_OVER = ("points", "random", "propensity_only", "without_levers")
_SUMS = ("decisions", "carried_out", "answered", "accepted", "converted", "rejected")
_LINES = 8
"""As many actions as there are colours."""


async def actions(visit: Visit) -> Response:
    """Show what is known of the actions together and of each."""
    settings = visit.service.settings
    counts, last, standing = await asyncio.to_thread(_read, settings)
    is_ever = visit.query("since") == "ever"
    used = [] if counts is None else counts["uses" if is_ever else "uses_lately"]
    report = (standing["champion"] or {}).get("report") or {}
    return visit.shown(
        "actions.html",
        counts=counts,
        is_ever=is_ever,
        defined=list(settings.actions),
        ours=_uses(settings, (row for row in used if not row["loaded"])),
        loaded=_uses(settings, (row for row in used if row["loaded"])),
        weeks=_weeks(visit, counts),
        compared=last,
        over=_over(last),
        lift=_lift(counts),
        lift_chart=_lift_chart(visit, counts),
        holdout=settings.ranking.holdout,
        effects=_effects(report),
        gates=_gates(counts),
        topics=None if counts is None else counts["topics"],
    )


def _read(settings: Settings) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None, Mapping[str, Any]]:
    folder = settings.folder
    return counts_in(folder), DailyLog.of(folder).last(), standing_in(folder)


def _uses(settings: Settings, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add to each use what it cost and what is left of what it brought; None where that is not known."""
    found = []
    for row in rows:
        cost = cost_of_all(settings, row["action"], row["carried_out"])
        worth = row["value"]
        found.append(
            {
                **row,
                "succeeded": row["accepted"] + row["converted"],
                "cost": cost,
                "net": None if cost is None or (worth is None and not cost) else (worth or 0.0) - cost,
            }
        )
    return found


def cost_of_all(settings: Settings, action: str, n: int) -> float | None:
    """Return what an action cost that was carried out ``n`` times at today's price; None where contacts' costs differ.

    Doing nothing costs nothing; what the settings no longer have cost nobody knows what.
    """
    if action == "do_nothing":
        return 0.0
    found = settings.actions.get(action)
    return None if found is None or isinstance(found.cost, CostByTrait) else found.cost * n


def _weeks(visit: Visit, counts: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Draw decisions by week, the most used actions each and the others together."""
    if counts is None or len(counts["weeks"]) < 2:
        return None
    w, n, weeks = visit.words, visit.numbers, counts["weeks"]
    total: dict[str, int] = {}
    for week in weeks:
        for action, decisions in week["decisions"].items():
            total[action] = total.get(action, 0) + decisions
    names = sorted(total, key=lambda each: (-total[each], each))[:_LINES]
    series = [
        Series(w.named("action", name), [week["decisions"].get(name, 0) for week in weeks], (), ()) for name in names
    ]
    labels = [n.day(week["week"] + "T12:00:00Z") for week in weeks]
    return {
        "svg": charts.lines(series, labels, n.number, w.weeks_means),
        "names": [each.name for each in series],
        "head": [w.week, *(each.name for each in series)],
        "rows": [
            [label, *(n.number(week["decisions"].get(name, 0)) for name in names)]
            for label, week in zip(labels, weeks, strict=True)
        ],
    }


def _over(last: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return what was served against the holdout and against each other way to choose, the holdout first."""
    if last is None or last["value"] is None:
        return []
    told = [("holdout", last["holdout"]), *((name, last["over"][name]) for name in _OVER if name in last["over"])]
    return [{"name": name, **each} for name, each in told]


def _lift(counts: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the rows of ``v_action_lift``, all actions together first in each placement."""
    rows = [] if counts is None else counts["lift"]
    found = [
        {**row, "is_all": row["action"] == _ALL, "slug": None if row["why"] is None else row["why"].replace(" ", "_")}
        for row in rows
    ]
    return sorted(found, key=lambda row: (row["placement"], not row["is_all"], -row["decisions"], row["action"]))


def _lift_chart(visit: Visit, counts: Mapping[str, Any] | None) -> Any:
    w, n = visit.words, visit.numbers
    bars = [
        Bar(w.together if row["is_all"] else w.named("action", row["action"]), row["lift"], *_bounds(row))
        for row in _lift(counts)
        if row["lift"] is not None
    ]
    return charts.bars(bars, lambda x: n.percent(x, 1), w.lift_means)


def _bounds(row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    return row["lift_low"], row["lift_high"]


def _effects(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the champion's training learnt of what each action changes, by goal."""
    return [
        {"goal": goal, "action": action, **told}
        for goal, learnt in (report.get("effects") or {}).items()
        for action, told in learnt.items()
        if told.get("value") is not None
    ]


def _gates(counts: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return who each action may go to in each placement, and what removes the others."""
    gates = None if counts is None else counts["gates"]
    if gates is None:
        return []
    return [
        {
            "action": name,
            "placement": placement,
            "eligible": told["eligible"],
            "share": told["eligible"] / gates["contacts"] if gates["contacts"] else None,
            "removed": [(rule.partition(":")[0], rule.partition(":")[2], n) for rule, n in told["removed"].items()],
        }
        for name, each in gates["actions"].items()
        for placement, told in each["placements"].items()
    ]


PAGES = (Page("actions", PATH, actions, title="actions", for_bound=False),)
