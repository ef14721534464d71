"""Allowed actions that were not offered all the same, each with the rule that says why.

The points table asks for a number of points like any other need (``eligibility``), and so is what is worth no more
than doing nothing not what the contact needs; what a request has no room for it leaves out itself (``excluded``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from models.points_table import Threshold
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
    detail = "no slot was filled with anything that it carries"
    return tuple(Refusal(name, "eligibility", detail) for name in names if name not in offered)


def _why(action: Action, at: Situation, terms: Terms, choice: Choice, is_called: bool) -> tuple[str, str]:
    if is_by_points(choice):
        if not is_called:
            return "eligibility", _calls(action, at)
    elif choice.action == DO_NOTHING and not terms.priority > 0:
        return "eligibility", f"is worth no more than doing nothing: its priority is {terms.priority:g}"
    if choice.action == DO_NOTHING:
        return "eligibility", 'may be done, but "do nothing" was drawn'
    return "excluded", f"the request asks for {at.request.limit} at most"


def _calls(action: Action, at: Situation) -> str:
    thresholds = [each for each in at.catalogue.settings.points.thresholds if action.name in each.actions]
    if not thresholds:
        return "the points table never calls for it"
    when = " or ".join(map(_spelt, thresholds))
    return f"the points table calls for it {when} points; the contact has {at.points:g}"


def _spelt(threshold: Threshold) -> str:
    parts = [] if threshold.from_ is None else [f"from {threshold.from_:g}"]
    parts += [] if threshold.below is None else [f"below {threshold.below:g}"]
    return " and ".join(parts) or "at any number of"
