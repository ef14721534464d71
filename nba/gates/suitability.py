"""Whether an action suits the stage of the journey."""

from __future__ import annotations

from nba.gates.refusal import Refusal
from nba.settings.actions import Action
from nba.situation import Situation


def suitability(action: Action, at: Situation) -> Refusal | None:
    """Refuse what is for other stages."""
    for stages in (action.stages, action.needs.stage):
        if stages and at.stage not in stages and at.rule_stage not in stages:
            detail = f"suits the stages {', '.join(stages)}; the contact is in {at.stage or 'none'}"
            return Refusal(action.name, "suitability", detail)
    return None
