"""Forecast: what each goal will bring, with an interval, and how earlier forecasts came out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from features.times import DAY, iso, parse_time
from models.forecast_log import MEASURES, ForecastLog
from serving.dashboard.charts import Series, lines
from serving.dashboard.pages import Page
from serving.dashboard.visit import Visit

PATH = "/forecast"

Told = Mapping[str, Any]


async def forecast(visit: Visit) -> Response:
    """Show the newest forecast of each goal and horizon."""
    log = ForecastLog.of(visit.service.settings.folder)
    newest = await asyncio.to_thread(log.newest, visit.now)
    goals = [name for name in visit.service.settings.goals if any(told["goal"] == name for told in newest)]
    shown = [_shown(visit, told) for name in goals for told in newest if told["goal"] == name]
    return visit.shown(
        "forecast.html", forecasts=shown, made_at=max((told["made_at"] for told in newest), default=None)
    )


def _shown(visit: Visit, told: Told) -> dict[str, Any]:
    """Lay a forecast out as the page needs it."""
    tried = _tried(told)
    return {
        **{name: told.get(name) for name in ("goal", "model_version", "made_at", "counts", "contacts", "currency")},
        "days": told["horizon_us"] / DAY,
        "from": told["as_of_us"],
        "until": told["as_of_us"] + told["horizon_us"],
        "expected": {measure: told[measure] for measure in MEASURES if measure in told},
        "abc": told.get("abc") or [],
        "abc_sum": _abc_sum(told.get("abc") or []),
        "by": {name: rows for name, rows in (told.get("by") or {}).items() if len(rows) > 1},
        "notes": told.get("notes") or [],
        "tried": [_row(row) for row in tried],
        "charts": {measure: _chart(visit, told, tried, measure) for measure in MEASURES if measure in told},
        "held": {measure: _held(tried, measure) for measure in MEASURES if measure in told},
    }


def _abc_sum(rows: Iterable[Told]) -> float | None:
    """Return what planning by classes expects of all contacts: what they brought in the period before."""
    found = [row["naive"] for row in rows if row.get("naive") is not None]
    return sum(found) if found else None


def _tried(told: Told) -> list[Told]:
    """Return forecasts whose time has come by their moment: those made then, and those tried on the past afterwards.

    A forecast that was made is in the place of one that was tried as of the same moment.
    """
    tried: dict[str, Told] = {}
    for row in (told.get("backtests") or {}).get("rows", ()):
        tried[row["as_of"]] = {**row, "is_made": False, "until": iso(parse_time(row["as_of"]) + told["horizon_us"])}
    for row in told.get("earlier") or ():
        if row.get("horizon_us") == told["horizon_us"]:
            tried[row["as_of"]] = {**row, "is_made": True}
    return [tried[at] for at in sorted(tried)]


def _row(row: Told) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("as_of", "until", "is_made")},
        **{measure: row[measure] for measure in MEASURES if measure in row},
    }


def _chart(visit: Visit, told: Told, tried: Sequence[Told], measure: str) -> Any:
    """Draw what was expected, with its interval, what came, and the forecast that is open."""
    w, n = visit.words, visit.numbers
    rows = [row[measure] for row in tried if measure in row]
    if not rows:
        return None
    every = [*rows, told[measure]]
    days = [n.day(row["as_of"]) for row in tried if measure in row] + [n.day(told["as_of_us"])]
    # Of two forecasts of a day the later is drawn; the table has both.
    places = [i for i, day in enumerate(days) if day not in days[i + 1 :]]
    drawn = [every[i] for i in places]
    bounds = [row["interval"] or (None, None) for row in drawn]
    series = (
        Series(w.expected, [row["expected"] for row in drawn], *([each[i] for each in bounds] for i in (0, 1))),
        # What has not come yet is not known of the forecast that is open.
        Series(w.came, [*(row["actual"] for row in drawn[:-1]), None]),
    )
    return lines(series, [days[i] for i in places], n.short, w["chart_" + measure])


def _held(tried: Sequence[Told], measure: str) -> dict[str, int]:
    """Count the forecasts that had an interval, and those that what came lay in."""
    answers = [row[measure]["held"] for row in tried if measure in row and row[measure]["held"] is not None]
    return {"of": len(answers), "held": sum(answers)}


PAGES = (Page("forecast", PATH, forecast, title="forecast", for_bound=False),)
