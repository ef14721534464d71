"""Contacts by segment: how many there are, how many of them in two at once, and how likely they are to reach a goal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.rows.row_types import FigureRow
from nba.partners.seen_answer import shows_segment
from nba.partners.visibility import Sight
from nba.settings import Settings
from nba.settings.conditions import Segment
from training.past import Past
from training.scoring import partial_sights

if TYPE_CHECKING:
    from models.belief import Belief

SEGMENTS = "segments"
"""The name of these figures."""

Flags = NDArray[np.bool_]


def count_segments(scores: pa.Table, past: Past, settings: Settings, belief: Belief | None) -> FigureRow:
    """Count contacts by segment, of those of whom the owner's side may see it.

    Parameters
    ----------
    scores
        Of everybody, as ``score_table`` makes them.

    Returns
    -------
    FigureRow
        ``contacts``: of whom it may be seen at all, ``in_none`` of the ``names``; ``together``: how many are in two
        of them, shape (names, names), with the size of each on the diagonal; ``asks``: what is another one where a
        name asks for something else; ``chances``: by goal the mean of ``everybody`` and of ``each`` segment, None
        where nobody's is known.
    """
    names = list(settings.segments)
    sights = partial_sights(scores.column("contact_id").to_pylist(), past, settings)
    shown = np.ones(scores.num_rows, dtype=np.bool_)
    shown[[at for at, sight in sights.items() if not sight.shows("segments")]] = False
    member = members(scores, names, sights, settings)
    sizes = member.astype(np.float64)
    body = {
        "model_version": None if belief is None else belief.version,
        "contacts": int(shown.sum()),
        "in_none": int((shown & ~member.any(axis=1)).sum()),
        "names": names,
        "asks": [asked_by(settings.segments[name]) for name in names],
        # Counts below 2^53 are exact.
        "together": (sizes.T @ sizes).astype(np.int64).tolist(),
        "chances": {goal: _means(scores, f"p_{goal}", member, shown, sights) for goal in settings.goals},
    }
    return FigureRow(SEGMENTS, past.now, body)


def members(scores: pa.Table, names: Sequence[str], sights: Mapping[int, Sight], settings: Settings) -> Flags:
    """Mark who is in which segment, as far as the owner's side may see it, shape (contacts, names)."""
    at = {name: i for i, name in enumerate(names)}
    found = np.zeros((scores.num_rows, len(names)), dtype=np.bool_)
    for row, told in enumerate(scores.column("segments").to_pylist()):
        for name in told or ():
            found[row, at[name]] = True
    for row, sight in sights.items():
        found[row] &= np.array([shows_segment(name, sight, settings) for name in names], dtype=np.bool_)
    return found


def asked_by(segment: Segment) -> str:
    """Return what is another one where a segment asks for something else.

    Examples
    --------
    >>> first, same, other = (asked_by(Segment(name="a", points_from=n)) for n in (50.0, 50.0, 60.0))
    >>> first == same, first == other
    (True, False)
    """
    return sha256(repr(segment).encode()).hexdigest()[:12]


def _means(scores: pa.Table, column: str, member: Flags, shown: Flags, sights: Mapping[int, Sight]) -> dict[str, Any]:
    """Average a chance over everybody and over each segment, where it is known and may be seen."""
    chance = np.array([np.nan if p is None else p for p in scores.column(column).to_pylist()], dtype=np.float64)
    chance[[at for at, sight in sights.items() if not sight.shows(column)]] = np.nan
    known = shown & ~np.isnan(chance)
    return {
        "everybody": _mean(chance[known]),
        "each": [_mean(chance[known & member[:, i]]) for i in range(member.shape[1])],
    }


def _mean(chance: NDArray[np.float64]) -> float | None:
    return float(chance.mean()) if len(chance) else None
