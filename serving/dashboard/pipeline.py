"""Pipeline: contacts by stage over time, who moves, is stuck or leaves, churn by worth, where visits break off."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.responses import Response

from features.rows.row_types import FigureRow
from features.store.figures import figures_of, latest_figure
from features.store.reading import Reading
from features.times import DAY, iso
from nba.settings import Settings
from serving.dashboard.bands import Move, bands
from serving.dashboard.charts import Series, areas
from serving.dashboard.funnel import Funnel
from serving.dashboard.pages import Page
from serving.dashboard.visit import Visit

PATH = "/pipeline"
_WEEKLY, _SCORED = "pipeline_7d", "scored"
_WEEKS, _OF_VISITS = 26, 4
_RISKS, _WORTHS = ("high", "medium", "low"), ("large", "middle", "small", "none")
_SHADES = 5

Body = Mapping[str, Any]


async def pipeline(visit: Visit) -> Response:
    """Show the newest figures, and the moves of the week that is asked for."""
    weeks, scored = await asyncio.to_thread(_read, visit.service.store, visit.now)
    shown = _shown(weeks, visit.query("week"))
    return visit.shown(
        "pipeline.html",
        scored=None if scored is None else {**scored.body, "at": scored.at},
        moved_since=None if scored is None else _moved_since(scored.body),
        at=weeks[-1].at if weeks else None,
        over_time=_over_time(visit, weeks),
        week=None if shown is None else _week(visit, weeks, shown),
        stuck=_stuck(weeks[-1].body) if weeks else [],
        leaving=_leaving(weeks[-1].body) if weeks else [],
        lost=weeks[-1].body["lost"] if weeks else {},
        matrix=None if scored is None else _matrix(scored.body["matrix"]),
        visits=_visits(weeks, visit.service.settings),
        visits_since=weeks[-_OF_VISITS:][0].at - 7 * DAY if weeks else None,
    )


def _read(store: Reading, now: int) -> tuple[list[FigureRow], FigureRow | None]:
    """Return the weeks that go together with the newest, oldest first, and what was counted over the scores."""
    weeks = figures_of(store, _WEEKLY, now - 7 * _WEEKS * DAY, now + 1)
    # Stages that were told otherwise are other stages, whatever their names.
    alike = [row for row in weeks if row.body["stages_id"] == weeks[-1].body["stages_id"]]
    first = next((i for i, row in enumerate(alike) if row.body["contacts"]), len(alike))
    return alike[first:], latest_figure(store, _SCORED, now + 1)


def _moved_since(scored: Body) -> dict[str, int] | None:
    """Count who has moved and who is new since the scoring before; None where nothing can be told."""
    if scored["since"] is None:
        return None
    moves = scored["moves"]
    return {
        "moved": sum(move["contacts"] for move in moves if move["from"] and move["from"] != move["to"]),
        "new": sum(move["contacts"] for move in moves if not move["from"]),
    }


def _over_time(visit: Visit, weeks: Sequence[FigureRow]) -> dict[str, Any] | None:
    if not weeks:
        return None
    w, n, stages = visit.words, visit.numbers, list(weeks[-1].body["stages"])
    days = [n.day(row.at) for row in weeks]
    names = [w.named("stage", stage) for stage in stages]
    found = [
        Series(name, [row.body["stages"].get(stage) for row in weeks])
        for name, stage in zip(names, stages, strict=True)
    ]
    cells = [
        [day, *(n.number(row.body["stages"].get(stage)) for stage in stages), n.number(row.body["contacts"])]
        for day, row in zip(days, weeks, strict=True)
    ]
    return {
        "svg": areas(found, days, n.short, w.over_time_means),
        "names": names,
        "head": [w.as_of_day, *names, w.together],
        "rows": cells[::-1],
    }


def _shown(weeks: Sequence[FigureRow], asked: str) -> int | None:
    """Return the place of the week whose moves are shown; None where there are no moves."""
    places = [i for i, row in enumerate(weeks) if row.body["since"] is not None]
    return next((i for i in places if iso(weeks[i].at)[:10] == asked), places[-1] if places else None)


def _week(visit: Visit, weeks: Sequence[FigureRow], shown: int) -> dict[str, Any]:
    """Lay the moves of a week out: drawn, as a table from stage to stage, and with the weeks beside it."""
    w, row = visit.words, weeks[shown]
    begins, moves = [*row.body["stages"], None], row.body["moves"]
    ends = begins if any(move["to"] is None for move in moves) else begins[:-1]
    moved = [move for move in moves if move["from"] != move["to"]]
    drawn = [Move(begins.index(m["from"]), begins.index(m["to"]), m["contacts"]) for m in moved]
    names = [w.named("stage", stage) for stage in begins[:-1]]
    spell, sides = visit.numbers.number, (w.from_stage, w.to_stage)
    return {
        "since": row.body["since"],
        "at": row.at,
        "moved": sum(move["contacts"] for move in moved if move["from"] and move["to"]),
        "new": sum(move["contacts"] for move in moved if move["from"] is None),
        "gone": sum(move["contacts"] for move in moved if move["to"] is None),
        "contacts": row.body["contacts"],
        "svg": bands([*names, w.elsewhere], drawn, sides, spell, w.moves_means),
        "names": [w.gone if stage is None else w.named("stage", stage) for stage in ends],
        **_table(moves, begins, ends, [*names, w.new]),
        "href": {"before": _href(visit, weeks, shown - 1), "after": _href(visit, weeks, shown + 1)},
    }


def _table(
    moves: Sequence[Body], begins: Sequence[str | None], ends: Sequence[str | None], names: Sequence[str]
) -> dict[str, Any]:
    """Lay moves out as rows of the stage before and columns of the stage after, with the sums of both."""
    count = {(move["from"], move["to"]): move["contacts"] for move in moves}
    most = max((n for (begin, end), n in count.items() if begin != end), default=0)
    sums = {begin: sum(n for (each, _), n in count.items() if each == begin) for begin in begins}
    rows = [
        {
            "name": name,
            "cells": [_cell(count.get((begin, end)), most, is_same=begin == end) for end in ends],
            "sum": sums[begin],
        }
        for begin, name in zip(begins, names, strict=True)
        if sums[begin] or begin is not None
    ]
    return {"rows": rows, "sums": [sum(n for (_, each), n in count.items() if each == end) for end in ends]}


def _href(visit: Visit, weeks: Sequence[FigureRow], at: int) -> str | None:
    has_moves = 0 <= at < len(weeks) and weeks[at].body["since"] is not None
    return visit.here(week=iso(weeks[at].at)[:10]) if has_moves else None


class _Cell(NamedTuple):
    contacts: int | None
    shade: int
    is_same: bool


def _cell(contacts: int | None, most: int, *, is_same: bool) -> _Cell:
    return _Cell(contacts, 0 if is_same else _shade(contacts or 0, most), is_same)


def _shade(value: float, most: float) -> int:
    """Return how dark a cell is, 0 to 4; the number stands in it as well."""
    return 0 if most <= 0 or value <= 0 else 1 + min(_SHADES - 2, int((_SHADES - 1) * value / most))


def _stuck(body: Body) -> list[dict[str, Any]]:
    return [
        {"stage": stage, "all": n, **body["lengths"][stage]}
        for stage, n in body["stages"].items()
        if stage in body["lengths"]
    ]


def _leaving(body: Body) -> list[dict[str, Any]]:
    return [{"stage": stage, "all": n, **body["leaving"][stage]} for stage, n in body["stages"].items()]


def _matrix(found: Body | None) -> dict[str, Any] | None:
    """Lay contacts out by risk, the highest first, and worth, the largest first; with sums of both."""
    if found is None:
        return None
    cells = {(cell["risk"], cell["worth"]): cell for cell in found["cells"]}
    most = max(cell["contacts"] for cell in found["cells"])
    rows = [
        {
            "risk": risk,
            "cells": [
                {**cells[risk, worth], "shade": _shade(cells[risk, worth]["contacts"], most)} for worth in _WORTHS
            ],
            "contacts": sum(cells[risk, worth]["contacts"] for worth in _WORTHS),
            "revenue": sum(cells[risk, worth]["revenue"] for worth in _WORTHS),
        }
        for risk in _RISKS
    ]
    sums = [sum(cells[risk, worth]["contacts"] for risk in _RISKS) for worth in _WORTHS]
    worths = [{"worth": worth, "from": found["worth_from"].get(worth)} for worth in _WORTHS]
    told = {name: found[name] for name in ("goal", "currency")}
    return {**told, "rows": rows, "sums": sums, "worths": worths, "contacts": sum(sums)}


def _visits(weeks: Sequence[FigureRow], settings: Settings) -> Funnel | None:
    """Add up the visits of the newest weeks; None where there were none."""
    goals = {kind for goal in settings.goals.values() for kind in goal.kinds} | set(settings.touchpoints.money)
    found = Funnel.of((row.body["visits"] for row in weeks[-_OF_VISITS:]), goals)
    return found if found.visits else None


PAGES = (Page("pipeline", PATH, pipeline, title="pipeline", for_bound=False),)
