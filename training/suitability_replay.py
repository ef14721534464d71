"""What the rule of suitable stages keeps from being recommended: decisions weighed once more, with and without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from features.rows.row_types import DecisionRow
from features.store.store import Store
from models.belief import Belief
from nba.actions import DO_NOTHING, Catalogue
from nba.contact_policy import Verdict, allowed
from nba.past import Past
from nba.request import Request
from nba.settings import Settings
from nba.weighing import Weighed, weigh

SUITABILITY = "suitability"
MOST = 500
"""Decisions that are weighed once more; the newest."""


def without_suitability(
    store: Store, settings: Settings, belief: Belief | None, made: Sequence[DecisionRow]
) -> dict[str, Any]:
    """Weigh decisions again at their moments, and say in how many the best action would be another.

    What that would have brought cannot be known: what does not suit a stage has no chance of being drawn. ``priority``
    is how much more the model believes it would be worth, on average over all of them.
    """
    # A choice that stays for a while says nothing about what is best.
    catalogue = Catalogue.of(replace(settings, ranking=replace(settings.ranking, sticky_us=0)))
    other, more, looked_at = 0, 0.0, 0
    for row in made[-MOST:]:
        past = Past.read(store, row.identity, row.decided_at, settings.touchpoints, memory_us=catalogue.memory_us)
        request = Request(contact=row.identity, placement=row.placement or "outbound")
        weighed = weigh(request, past, belief, catalogue, row.decided_at)
        best = _best(weighed, weighed.judged.verdict)
        freely = _best(weighed, allowed(weighed.judged.situation, without=(SUITABILITY,)))
        looked_at += 1
        other += best[0] != freely[0]
        more += freely[1] - best[1]
    found: dict[str, Any] = {"decisions": looked_at, "other": None, "priority": None, "value": None, "interval": None}
    if looked_at:
        found |= {"other": other / looked_at, "priority": more / looked_at}
    return found


def _best(weighed: Weighed, verdict: Verdict) -> tuple[str, float]:
    """Return the allowed action of the highest priority above 0 and that priority; else "do nothing"."""
    names = weighed.judged.situation.catalogue.names
    worth = {names[column]: weighed.terms[column - 1].priority for column in verdict.columns[1:]}
    name = max(worth, key=lambda each: worth[each], default=DO_NOTHING)
    return (name, worth[name]) if worth.get(name, 0.0) > 0.0 else (DO_NOTHING, 0.0)
