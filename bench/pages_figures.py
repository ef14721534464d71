"""What commands count for the pages, counted of a store that is small enough, and kept where the large one is served.

The figures are sums: they are as long for two thousand contacts as for a million.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from bench.pages_made_up import forecast_of, standing
from features.rows.row_types import FigureRow, TouchpointRow
from features.store.figures import store_figures
from features.store.store import Store
from features.times import DAY, HOUR, iso
from models.belief import Belief
from models.forecast_log import ForecastLog
from models.kept import Kept
from models.local import COUNTS, FOLDER, STANDING, read_champion
from nba.settings import Settings
from training.counts import count
from training.dataset import make_rows
from training.past import Past, read_past
from training.pipeline.moments import WEEK, moments
from training.pipeline.pipeline import Pipeline
from training.pipeline.scored import count_scored
from training.points.check import NAME, check_thresholds
from training.scoring import score_table
from training.segments.classes import classed
from training.segments.segments import count_segments

GOAL = "conversion"
EARLIER = (1,)
"""Weeks before now as of which contacts were scored, too, so that there is something to compare with."""
_FORESEEN = (60, 0)
"""Days before now as of which forecasts were made."""


def keep_figures(folder: Path, small: Store, served: Store, settings: Settings, belief: Belief, now: int) -> None:
    """Count what ``nba score``, ``pipeline``, ``points check`` and ``evaluate counts`` keep, and keep it.

    What a training and a forecast would report is made up, as the models are.

    Parameters
    ----------
    folder
        Of the settings, with the bundle.
    small, served
        What is counted, and where that is kept.
    now
        Microseconds; when everybody was scored.
    """
    past = read_past(small, settings, now)
    rows = [*_scored(small, past, settings, belief, now), *_thresholds(small, past, settings, now)]
    # The bundle's stages look at traits, too, as those that were learned never do: rules tell them here.
    rows += Pipeline(past, settings, None, WEEK).figures(moments(None, now, WEEK))
    with served.writing() as writing:
        store_figures(writing, rows)
    for days in _FORESEEN:
        ForecastLog.of(folder).add(forecast_of(settings, now - days * DAY), now - days * DAY)
    Kept(folder / COUNTS).put({**count(small, settings, belief, now), "took_seconds": 3600.0})
    Kept(folder / FOLDER / STANDING).put(standing(settings, *(read_champion(folder) or ("1", ""))[:2], now))


def _scored(small: Store, past: Past, settings: Settings, belief: Belief, now: int) -> Iterator[FigureRow]:
    """Count what a scoring counts, now and some weeks before."""
    stored = {row.contact_id: row for row in small.score_rows()}
    for weeks in (*EARLIER, 0):
        then = past if weeks == 0 else read_past(small, settings, now - weeks * WEEK)
        scores = score_table(then, settings, belief, advance=lambda _: None)
        yield count_scored(scores, stored, then, settings, belief)
        yield count_segments(scores, then, settings, belief)
        yield from classed(scores, then, settings, belief).figures


def _thresholds(small: Store, past: Past, settings: Settings, now: int) -> Iterator[FigureRow]:
    goal = settings.goals[GOAL]
    rows = make_rows(past.touchpoints, goal, settings.touchpoints, past.end, past.versions)
    found = check_thresholds(small, past, goal, rows, settings.points, settings.source.number)
    yield FigureRow(NAME, now, {"as_of": iso(now), **found})


def offer_leads(store: Store, named: Iterator[tuple[str, str]], now: int) -> None:
    """Offer contacts to their partners within the last three months; of three one is taken and one is declined.

    Parameters
    ----------
    named
        Contacts, each with the partner.
    """
    rows = []
    for i, (contact, partner) in enumerate(named):
        at = now - (1 + i * 7_919 % 85) * DAY
        told = orjson.dumps({"partner": partner}).decode()
        for kind, later in (("lead_offered", 0), (("lead_accepted", "lead_declined", None)[i % 3], HOUR)):
            if kind is not None:
                way = "outbound" if later == 0 else "inbound"
                rows.append(
                    TouchpointRow(
                        contact, at + later, f"{kind}-{i}", kind, direction=way, topics='["pumps"]', properties=told
                    )
                )
    with store.writing() as writing:
        writing.touchpoints(rows)
