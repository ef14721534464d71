"""What a page says it has nothing of: a page with nothing to show is soon made, and its time says nothing."""

from __future__ import annotations

from markupsafe import escape

from serving.dashboard.languages import words_of

_NOTHING = (
    "not_counted_head", "not_counted", "not_scored_head", "none_head", "none_defined", "none", "nothing", "no_model",
    "no_leads", "no_moves", "no_visits", "no_matrix", "no_overlaps", "no_thresholds", "no_revenue", "no_lift_yet",
    "no_effects", "none_tried", "no_challenger", "no_reliability",
)  # fmt: skip
"""Words of the pages that say that there is nothing to show."""


def lacking(page: str, text: str) -> set[str]:
    """Return the words by which a page says that there is nothing to show."""
    words = words_of(page, "de")
    return {name for name in _NOTHING if name in words and f">{escape(words[name])}" in text}
