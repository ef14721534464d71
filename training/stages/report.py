"""What the training report says of the stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.feature_set import FeatureSet
from models.stages.stages import StageModel
from nba.settings import Settings
from training.past import Past
from training.stages.profiles import profiles
from training.stages.transitions import transitions, words


def stage_report(
    stages: StageModel | None, past: Past, settings: Settings, features: FeatureSet, seed: int = 0
) -> dict[str, Any]:
    """Say how many stages there are, how steady, who is in them, what they do there, and how they move on.

    Parameters
    ----------
    stages
        None where none were learnt.
    features
        Of the columns of the stages.
    seed
        Of the draw of contacts, where there are more than are looked at.
    """
    if stages is None:
        empty: dict[str, Any] = {"count": 0, "names": [], "sizes": {}, "stability": None, "agreement_with_rules": None}
        return empty | {"profiles": {}, "transitions": None}
    return {
        "count": len(stages.names),
        "names": list(stages.names),
        "sizes": dict(stages.sizes),
        "stability": stages.stability,
        "agreement_with_rules": stages.agreement,
        "profiles": profiles(past, stages, features, settings, seed),
        "transitions": transitions(past, stages, features, seed),
    }


def stage_lines(told: Mapping[str, Any]) -> list[str]:
    """Tell the stages for a person: a line each for who they are, and one for how long they stay."""
    if not told["count"]:
        return ["stages: too few contacts to learn any; the rules alone tell them"]
    lines = [
        f"stages: {told['count']} (stability {told['stability']:.2f}, "
        f"agreement with the rules {told['agreement_with_rules']:.2f})"
    ]
    # Reports of before there were profiles are still read.
    described = told.get("profiles") or {}
    for name in told["names"]:
        said = described[name]["words"] if name in described else f"{told['sizes'].get(name, 0):,} contacts"
        lines.append(f"  {name}: {said}")
    if told.get("transitions"):
        lines += ["how contacts move on:", *words(told["transitions"])]
    return lines
