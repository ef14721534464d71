"""What an export has of each contact: its newest score with the best of what is allowed, as far as a viewer sees it.

The columns are those of the file that ``nba score`` writes. What the owner's side sees of whom was put down in the
store (``nba.partners.owner_sights``); whose belonging has changed since is in no export, whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import orjson

from features.rows.row_types import SightRow
from features.store.sights import scores_with_sight
from features.store.store import Store
from features.times import iso
from nba.partners.visibility import Viewer
from nba.settings import Settings
from serving.parquet_child import MOMENT, NUMBER, TEXT

_EVERYTHING = "*"
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


def rows_for(store: Store, settings: Settings, viewer: Viewer, now: int) -> Iterator[dict[str, Any]]:
    """Return a row for each contact that a viewer sees, by contact; what it does not see of one is None."""
    columns = columns_of(settings)
    for score, sight in scores_with_sight(store, now):
        shows = _shown(viewer, sight)
        if not shows:
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


def _is_seen(name: str, shows: str) -> bool:
    return shows == _EVERYTHING or name in _ALWAYS or f"|{name}|" in shows
