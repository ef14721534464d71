"""Whether an action suits the stage of the journey."""

from __future__ import annotations

from models.saying.said import Said
from nba.gates.refusal import Refusal
from nba.settings.actions import Action
from nba.situation import Situation


def suitability(action: Action, at: Situation) -> Refusal | None:
    """Refuse what is for other stages."""
    for stages in (action.stages, action.needs.stage):
        if stages and at.stage not in stages and at.rule_stage not in stages:
            in_none = Said("gate.no_stage", {"stages": stages})
            said = Said("gate.stage", {"stages": stages, "stage": at.stage}) if at.stage else in_none
            return Refusal(action.name, "suitability", said)
    return None
