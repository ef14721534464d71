"""Which policy serves, and what the logged decisions can and cannot show about that."""

from __future__ import annotations

from typing import Any

from nba.settings import Settings
from training.past import Past


def evidence(past: Past) -> str:
    """How strong the logged decisions are: randomised, logged, observational or none.

    Randomised means that every decision carries its probability and an action's never depends on the contact;
    logged that every one carries it.
    """
    if not past.decisions:
        return "none"
    chances: dict[str, set[float]] = {}
    for decision in past.decisions:
        if decision.probability is None:
            return "observational"
        chances.setdefault(decision.action, set()).add(round(decision.probability, 9))
    return "randomised" if all(len(found) == 1 for found in chances.values()) else "logged"


_WHY = {
    "none": "there are no logged decisions to judge a policy on, so the points baseline chooses",
    "observational": (
        "past actions were targeted, not drawn with a known probability: response is not effect, "
        "and no gain over the points baseline can be shown, so the points baseline chooses"
    ),
    "logged": "the learned ranking has not been valued on the logged decisions, so the points baseline chooses",
    "randomised": "the learned ranking has not been valued on the logged decisions, so the points baseline chooses",
}


def policies(past: Past, settings: Settings) -> dict[str, Any]:
    """Write the report's part about policies; what cannot be estimated is null."""
    found = evidence(past) if settings.actions else "none"
    why = "no actions are defined, so nothing is recommended" if not settings.actions else _WHY[found]
    return {
        "evidence": found,
        "estimates": {},
        "gain_over_best_simple": {"value": None, "interval": None},
        "serves": "points",
        "why": why,
    }
