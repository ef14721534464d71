"""What is counted over all scores whenever contacts are scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from features.rows.row_types import FigureRow, ScoreRow
from nba.settings import Settings
from training.past import Past
from training.pipeline.matrix import churn_goal, matrix
from training.pipeline.moves import moves_by_name
from training.pipeline.people import seen

if TYPE_CHECKING:
    from models.belief import Belief

SCORED = "scored"
"""The name of these figures."""


def count_scored(
    scores: pa.Table, stored: Mapping[str, ScoreRow], past: Past, settings: Settings, belief: Belief | None
) -> FigureRow:
    """Count contacts by stage, their moves since they were scored before, and risk by worth.

    Without whom partners keep from the owner's side.

    Parameters
    ----------
    scores
        Of everybody, as ``score_table`` makes them.
    stored
        The scores that these replace, by contact.

    Returns
    -------
    FigureRow
        ``stages``: contacts by stage; ``moves`` since the moment ``since``, where stages were told by the same model;
        ``matrix``: see there.
    """
    names: list[str] = scores.column("contact_id").to_pylist()
    stages: list[str | None] = scores.column("stage").to_pylist()
    shown = [
        (name, stage)
        for name, stage, is_seen in zip(names, stages, seen(names, past, settings), strict=True)
        if is_seen and stage is not None
    ]
    order = _order(settings, belief)
    counted = dict.fromkeys(order, 0)
    for _, stage in shown:
        counted[stage] = counted.get(stage, 0) + 1
    version = None if belief is None else belief.version
    since = _since(stored, version, past.now)
    before = {} if since is None else {name: row.stage for name, row in stored.items()}
    body = {
        "model_version": version,
        "contacts": len(shown),
        "stages": counted,
        "since": since,
        "moves": [] if since is None else moves_by_name(((before.get(name), now) for name, now in shown), order),
        "matrix": _matrix(scores, names, past, settings, belief),
    }
    return FigureRow(SCORED, past.now, body)


def _order(settings: Settings, belief: Belief | None) -> Sequence[str]:
    stages = None if belief is None else belief.bundle.stages
    return settings.stages.names if stages is None else stages.names


def _since(stored: Mapping[str, ScoreRow], version: str | None, now: int) -> int | None:
    """Return when contacts were scored before; None where that tells nothing of moves."""
    last = max(stored.values(), key=lambda row: row.as_of, default=None)
    return None if last is None or last.as_of >= now or last.model_version != version else last.as_of


def _matrix(
    scores: pa.Table, names: Sequence[str], past: Past, settings: Settings, belief: Belief | None
) -> dict[str, Any] | None:
    goal = churn_goal(belief)
    if goal is None or f"p_{goal}" not in scores.column_names:
        return None
    whole = seen(names, past, settings, field="")
    chance = scores.column(f"p_{goal}").to_pylist()
    seen_whole = [(name, p) for name, p, is_seen in zip(names, chance, whole, strict=True) if is_seen]
    return matrix(past, settings, belief, [name for name, _ in seen_whole], [p for _, p in seen_whole])
