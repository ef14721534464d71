"""Allowed actions that were not offered all the same, each with the rule that says why.

The points table asks for a number of points like any other need (``eligibility``), and so is what is worth no more
than doing nothing not what the contact needs; what a request has no room for it leaves out itself (``excluded``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from models.points_table import Threshold
from models.saying.said import Said
from nba.actions import DO_NOTHING
from nba.choice import Choice
from nba.contact_policy import Refusal, Verdict
from nba.offers import called_for, is_by_points
from nba.priority import Terms
from nba.settings.actions import Action
from nba.situation import Situation


def passed_over(
    situation: Situation, verdict: Verdict, terms: Sequence[Terms], choice: Choice, offered: Collection[str]
) -> tuple[Refusal, ...]:
    """Return why each allowed action that is not among those offered is not.

    Parameters
    ----------
    terms
        In the catalogue's order without "do nothing".
    """
    catalogue, called = situation.catalogue, called_for(situation)
    found = []
    for column in verdict.columns[1:]:
        action = catalogue.action(column)
        if action.name not in offered:
            is_called = column in called or action.class_ == "mandatory"
            why = _why(action, situation, terms[column - 1], choice, is_called)
            found.append(Refusal(action.name, *why))
    return tuple(found)


def in_slots(situation: Situation, verdict: Verdict, offered: Collection[str]) -> tuple[Refusal, ...]:
    """Return why each allowed action carries nothing in a slot of the answer."""
    names = (situation.catalogue.names[column] for column in verdict.columns[1:])
    detail = Said("over.no_slot")
    return tuple(Refusal(name, "eligibility", detail) for name in names if name not in offered)


def _why(action: Action, at: Situation, terms: Terms, choice: Choice, is_called: bool) -> tuple[str, Said]:
    if is_by_points(choice):
        if not is_called:
            return "eligibility", _calls(action, at)
    elif choice.action == DO_NOTHING and not terms.priority > 0:
        return "eligibility", Said("over.worth", {"priority": terms.priority})
    if choice.action == DO_NOTHING:
        return "eligibility", Said("over.drawn")
    return "excluded", Said("over.limit", {"limit": at.request.limit})


def _calls(action: Action, at: Situation) -> Said:
    thresholds = [each for each in at.catalogue.settings.points.thresholds if action.name in each.actions]
    if not thresholds:
        return Said("over.never_called")
    return Said("over.called", {"when": tuple(map(_spelt, thresholds)), "points": at.points})


def _spelt(threshold: Threshold) -> Said:
    from_, below = threshold.from_, threshold.below
    if from_ is None and below is None:
        return Said("points.any")
    if from_ is None or below is None:
        return Said("points.from", {"from": from_}) if below is None else Said("points.below", {"below": below})
    return Said("points.between", {"from": from_, "below": below})
