"""How a contact's chances have moved since it was scored before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from features.times import DAY
from models.saying.said import Said
from models.saying.tongues import EN, say

if TYPE_CHECKING:
    from features.rows.row_types import ScoreRow

MOVED = 1.25
"""Odds that are this many times as high, or as low, have moved; less is what a day brings by itself."""
LEAST = 0.005
"""A smaller step in probability is none, however rare the goal."""
BEFORE = "before"
"""Under this name a score keeps the scoring before it, as one is soon too young to show where things go."""
LEFT_AT = "stage_left_at"
"""Under this name a score keeps when the contact was last scored in another stage, in microseconds."""

NEVER = Said("trend.never")


def trend(
    goal: str, chance: float, scored: ScoreRow | None, version: str | None, as_of: int, language: str = EN
) -> dict[str, str | None]:
    """Tell whether a chance is rising, falling or steady against the previous scoring, and why not where not.

    The newest scoring that is at least a day old is compared with; without one the oldest that came before.

    Parameters
    ----------
    scored
        What ``nba score`` found, and the scoring before that in its body.
    version
        Of the model that gives the chance. Another model's chances are no measure: it may see everybody otherwise.
    as_of
        Microseconds.

    Returns
    -------
    dict
        ``trend``, and where it is None ``trend_why``.
    """
    earlier = [each for each in _scorings(scored) if each["as_of"] < as_of]
    if not earlier:
        return {"trend": None, "trend_why": say(NEVER, language)}
    alike = [each for each in earlier if each["model_version"] == version and each.get(f"p_{goal}") is not None]
    if not alike:
        return {"trend": None, "trend_why": say(Said("trend.other_model"), language)}
    old = [each for each in alike if each["as_of"] <= as_of - DAY]
    then = max(old, key=_moment) if old else min(alike, key=_moment)
    return {"trend": compared(chance, float(then[f"p_{goal}"]))}


def compared(now: float, then: float) -> str:
    """Tell how a chance has moved.

    Examples
    --------
    >>> compared(0.31, 0.22), compared(0.22, 0.31), compared(0.31, 0.29), compared(0.002, 0.001)
    ('rising', 'falling', 'steady', 'steady')
    """
    if abs(now - then) < LEAST:
        return "steady"
    new, old = now * (1.0 - then), then * (1.0 - now)
    return "rising" if new >= MOVED * old else "falling" if old >= MOVED * new else "steady"


def kept(row: ScoreRow, stored: ScoreRow | None) -> ScoreRow:
    """Return a new score that keeps the scoring before it: the stored one, or what that kept where it is too young.

    It keeps when the contact was last scored in another stage, too.
    """
    earlier = [each for each in _scorings(stored) if each["as_of"] < row.as_of]
    old = [each for each in earlier if each["as_of"] <= row.as_of - DAY]
    before = max(old, key=_moment) if old else min(earlier, key=_moment, default=None)
    left = None if row.stage is None else left_at(stored, row.stage, row.model_version, row.as_of)
    added = {BEFORE: before, LEFT_AT: left}
    return row._replace(body={**row.body, **{name: value for name, value in added.items() if value is not None}})


def left_at(scored: ScoreRow | None, stage: str, version: str | None, as_of: int) -> int | None:
    """Return when a contact that is in a stage was last scored in another one, by the same model; None: not known."""
    if scored is None or scored.stage is None or scored.model_version != version or scored.as_of >= as_of:
        return None
    if scored.stage != stage:
        return scored.as_of
    left = scored.body.get(LEFT_AT)
    return left if isinstance(left, int) else None


def _scorings(scored: ScoreRow | None) -> Iterator[Mapping[str, Any]]:
    if scored is None:
        return
    chances = {name: value for name, value in scored.body.items() if name.startswith("p_")}
    yield {"as_of": scored.as_of, "model_version": scored.model_version, **chances}
    before = scored.body.get(BEFORE)
    if isinstance(before, Mapping):
        yield before


def _moment(scoring: Mapping[str, Any]) -> int:
    return int(scoring["as_of"])
