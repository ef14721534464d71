"""A contact's chances as they are shown: with grade, trend, and the reasons for and against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from models.saying.tongues import say
from nba.situation import Situation
from nba.trend import trend

if TYPE_CHECKING:
    from models.estimate import Driver, Estimate, Reason

MOST_REASONS = 3


def shown_chances(estimate: Estimate, at: Situation, version: str | None) -> Mapping[str, Mapping[str, Any]]:
    """Return what an answer says of each goal; reasons only where they were asked for.

    Parameters
    ----------
    version
        Of the model that estimated.
    """
    return {
        goal: {
            "probability": chance,
            "risk" if _is_absence(goal, at) else "grade": estimate.grades.get(goal),
            **trend(goal, chance, at.past.scored, version, at.as_of, at.language),
            **(_reasons(estimate.reasons.get(goal, ()), at) if at.request.explain else {}),
        }
        for goal, chance in estimate.propensities.items()
    }


def shown_drivers(estimate: Estimate, at: Situation) -> Sequence[Driver]:
    """Return the features that drive the chances, without those that are read from protected traits."""
    protected = _protected(at)
    names = {f"trait_{name}" for name in protected} | {f"until_{name}_days" for name in protected}
    return tuple(driver for driver in estimate.drivers if driver.feature.name not in names)


def _reasons(found: Sequence[Reason], at: Situation) -> dict[str, list[str]]:
    # A trait may have been protected after the model was trained on it.
    told = [reason for reason in found if reason.trait not in _protected(at)]
    return {
        "for": [say(each.said, at.language) for each in told if each.contribution > 0][:MOST_REASONS],
        "against": [say(each.said, at.language) for each in told if each.contribution < 0][:MOST_REASONS],
    }


def _protected(at: Situation) -> frozenset[str]:
    return frozenset(at.catalogue.settings.privacy.protected)


def _is_absence(goal: str, at: Situation) -> bool:
    goals = at.catalogue.settings.goals
    return goal in goals and goals[goal].is_absence
