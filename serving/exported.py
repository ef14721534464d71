"""What an export has of each contact: its newest score with the best of what is allowed, as far as a viewer sees it.

The columns are those of the file that ``nba score`` writes. What the owner's side sees of whom was put down in the
store (``nba.partners.owner_sights``); whose belonging has changed since is in no export, whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import orjson

from features.rows.row_types import ScoreRow, SightRow
from features.store.sights import scores_with_sight
from features.store.store import Store
from features.times import iso
from nba.partners.owner_sights import segment_entry
from nba.partners.visibility import Viewer
from nba.settings import Settings
from serving.parquet_child import MOMENT, NUMBER, TEXT

Wanted = Callable[[ScoreRow, str], bool]

_EVERYTHING = "*"
MISSED = ("C", "none")
"""Classes by last year's revenue that planning by it puts last."""
_CHOICES = (1, 2, 3)
_ALWAYS = ("contact_id", "as_of", "model_version")
_LINES = 1000


def columns_of(settings: Settings) -> dict[str, str]:
    """Return the columns with what each holds, in the order of the file that ``nba score`` writes."""
    choices = {name: kind for i in _CHOICES for name, kind in ((f"action_{i}", TEXT), (f"priority_{i}", NUMBER))}
    return {
        "contact_id": TEXT,
        "as_of": MOMENT,
        "stage": TEXT,
        "points": NUMBER,
        **{f"p_{goal}": NUMBER for goal in settings.goals},
        "expected_value": NUMBER,
        **choices,
        "model_version": TEXT,
    }


def rows_for(
    store: Store, settings: Settings, viewer: Viewer, now: int, is_wanted: Wanted | None = None
) -> Iterator[dict[str, Any]]:
    """Return a row for each contact that a viewer sees, by contact; what it does not see of one is None.

    Parameters
    ----------
    is_wanted
        Tells of a score, and of what is seen of it, whether it is asked for; None: every one is.
    """
    columns = columns_of(settings)
    for score, sight in scores_with_sight(store, now):
        shows = _shown(viewer, sight)
        if not shows or not (is_wanted is None or is_wanted(score, shows)):
            continue
        fixed = {"contact_id": score.contact_id, "as_of": iso(score.as_of), "stage": score.stage}
        found: Mapping[str, Any] = {
            **score.body, **fixed, "points": score.points, "model_version": score.model_version,
        }  # fmt: skip
        yield {name: found.get(name) if _is_seen(name, shows) else None for name in columns}


def lines(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Write rows as JSON, a line each, many lines at a time."""
    while chunk := list(islice(rows, _LINES)):
        yield b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in chunk)


def _shown(viewer: Viewer, sight: SightRow) -> str:
    if viewer.partner is not None:
        return _EVERYTHING if sight.partner == viewer.partner else ""
    if viewer.owner is not None and sight.owner != viewer.owner:
        return ""
    return sight.shows or ""


def is_in(segment: str) -> Wanted:
    """Say who is asked for by a segment: whoever was in it when scored, where that may be seen."""
    entry = f"|{segment_entry(segment)}|"

    def is_wanted(score: ScoreRow, shows: str) -> bool:
        told = score.body.get("segments")
        return isinstance(told, list) and segment in told and (shows == _EVERYTHING or entry in shows)

    return is_wanted


def is_missed(goal: str, least: float) -> Wanted:
    """Say whom ranking by revenue misses: who brought little or nothing last year, and has a chance of ``least``."""

    def is_wanted(score: ScoreRow, shows: str) -> bool:
        chance = score.body.get(f"p_{goal}")
        is_likely = isinstance(chance, float) and chance >= least
        return is_likely and score.body.get("abc") in MISSED and shows == _EVERYTHING

    return is_wanted


def _is_seen(name: str, shows: str) -> bool:
    return shows == _EVERYTHING or name in _ALWAYS or f"|{name}|" in shows
