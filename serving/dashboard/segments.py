"""Segments: how many contacts are in each and in two at once, how that went, how likely they are, and who they are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from features.rows.row_types import FigureRow
from features.store.figures import figures_of
from features.store.line import scored_at
from features.store.reading import Reading
from features.times import DAY
from nba.settings import Settings
from nba.settings.conditions import Segment
from serving.dashboard import charts
from serving.dashboard.charts import Series
from serving.dashboard.downloading import download
from serving.dashboard.pages import Page
from serving.dashboard.visit import Visit
from serving.exported import is_in
from serving.problems import Problem

PATH = "/segments"
FILE = PATH + "/file"
_SEGMENTS = "segments"
_LOOK_BACK = 183 * DAY
_LINES = 8
"""As many segments as there are colours."""
_PAIRS = 30

Body = Mapping[str, Any]


async def segments(visit: Visit) -> Response:
    """Show what was counted when contacts were scored last, and how it went."""
    settings = visit.service.settings
    rows, at = await asyncio.to_thread(_read, visit.service.store)
    last = rows[-1].body if rows and rows[-1].at == at else None
    told = [] if last is None else _told(settings, rows, last)
    return visit.shown(
        "segments.html",
        defined=list(settings.segments),
        asks={name: asked_of(segment) for name, segment in settings.segments.items()},
        last=last,
        at=at,
        told=told,
        uncounted=[] if last is None else [name for name in settings.segments if name not in last["names"]],
        goals=[] if last is None else [goal for goal, each in last["chances"].items() if each["everybody"] is not None],
        pairs=[] if last is None else _pairs(last),
        most=_PAIRS,
        trend=_trend(visit, rows, told),
    )


async def file(visit: Visit) -> Response:
    """Send who is in a segment."""
    name = visit.query("segment")
    if name not in visit.service.settings.segments:
        raise Problem(404, "no-such-segment", visit.words.no_such_segment)
    return await download(visit, f"segment-{name}", is_in(name))


def _read(store: Reading) -> tuple[list[FigureRow], int | None]:
    """Return the figures up to those of the present scores, oldest first, and when these were made."""
    at = scored_at(store)
    return ([], None) if at is None else (figures_of(store, _SEGMENTS, at - _LOOK_BACK, at + 1), at)


def _told(settings: Settings, rows: Sequence[FigureRow], last: Body) -> list[dict[str, Any]]:
    """Return each segment with its size, then and now; sizes count where it asked for the same."""
    found = []
    for i, name in enumerate(last["names"]):
        sizes = [_size(row.body, name, last["asks"][i]) for row in rows]
        before = next((size for size in reversed(sizes[:-1]) if size is not None), None)
        found.append(
            {
                "name": name,
                "contacts": last["together"][i][i],
                "share": last["together"][i][i] / last["contacts"] if last["contacts"] else None,
                "sizes": sizes,
                "change": None if before is None else last["together"][i][i] - before,
                "chances": {goal: each["each"][i] for goal, each in last["chances"].items()},
                "is_defined": name in settings.segments,
            }
        )
    return found


def _size(body: Body, name: str, asks: str) -> int | None:
    """Return how many were in a segment; None where there was none of that name that asked for the same."""
    if name not in body["names"]:
        return None
    i = body["names"].index(name)
    return int(body["together"][i][i]) if body["asks"][i] == asks else None


def _pairs(last: Body) -> list[dict[str, Any]]:
    """Return two segments each with those who are in both, the most first."""
    names, together = last["names"], last["together"]
    found = [
        {
            "a": names[i],
            "b": names[j],
            "contacts": together[i][j],
            "of_a": together[i][j] / together[i][i] if together[i][i] else None,
            "of_b": together[i][j] / together[j][j] if together[j][j] else None,
        }
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if together[i][j]
    ]
    return sorted(found, key=lambda pair: -pair["contacts"])


def _trend(visit: Visit, rows: Sequence[FigureRow], told: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Draw the sizes over time, of the largest segments."""
    shown = sorted(told, key=lambda each: -each["contacts"])[:_LINES]
    if len(rows) < 2 or not any(sum(size is not None for size in each["sizes"]) > 1 for each in shown):
        return None
    w, n = visit.words, visit.numbers
    labels = [n.day(row.at) for row in rows]
    series = [Series(w.named("segment", each["name"]), each["sizes"], (), ()) for each in shown]
    return {
        "svg": charts.lines(series, labels, n.number, w.trend_means),
        "names": [each.name for each in series],
        "head": [w.scored_on, *(each.name for each in series)],
        "rows": [
            [label, *(n.number(each["sizes"][i]) for each in shown)] for i, label in reversed(list(enumerate(labels)))
        ],
    }


def asked_of(segment: Segment) -> list[tuple[str, Any]]:
    """Return what a segment asks for, each by its key in the settings with its value.

    Examples
    --------
    >>> asked_of(Segment(name="hot", points_from=100.0, seen=("demo_request",)))
    [('points_from', 100.0), ('seen', ('demo_request',))]
    """
    days = None if segment.tenure_from_us is None else segment.tenure_from_us / DAY
    asked = (
        ("topics", segment.topics),
        ("stages", segment.stages),
        ("points_from", segment.points_from),
        ("propensity_from", segment.propensity_from),
        ("churn_from", segment.churn_from),
        ("revenue_from", segment.revenue_from),
        ("tenure_from", days),
        ("traits", [(name, values) for name, values in segment.traits.items()]),
        ("missing", segment.missing),
        ("seen", segment.seen),
        ("without", segment.without),
    )
    return [(key, value) for key, value in asked if value not in (None, (), [])]


PAGES = (
    Page("segments", PATH, segments, for_bound=False),
    Page("segments", FILE, file, for_bound=False),
)
