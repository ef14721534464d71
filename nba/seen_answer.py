"""An answer as far as whoever asked may see it: of a contact that is not for its eyes it looks as of nobody."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from nba.visibility import Sight

UNSEEN: Mapping[str, Any] = {
    "stage": None,
    "stage_by_rule": None,
    "stage_by_topic": {},
    "segments": [],
    "propensities": {},
    "points": {"total": 0.0, "actions": [], "log": [], "fit": None, "schemes": {}},
    "recommendations": [],
    "do_nothing": True,
    "again_at": None,
    "holdout": False,
    "mode": "default",
    "model_version": None,
    "left": {},
    "drivers": [],
}
"""What stands in an answer for what is not seen."""

_OF_THE_CALL = ("decision_id", "contact_id", "as_of", "degraded")
_OF_THE_CHOICE = ("holdout", "mode", "model_version", "partner")
_CARRIED_OUT_BY = ("rank", "action", "channel", "executor", "goal", "inform", "not_before", "valid_until")
"""What somebody needs in order to carry an action out."""


def seen_answer(answer: Mapping[str, Any], sight: Sight, asked: str, actions: Collection[str]) -> dict[str, Any]:
    """Return the answer of a decision without what is not seen.

    Where the owner may act, it is told of its own action, and of nothing that led to it: no terms, no reasons. What a
    partner carries out is the partner's alone.

    Parameters
    ----------
    answer
        As ``Decision.to_json`` makes it.
    asked
        The identity that the caller named: it learns no other one.
    actions
        Every action that there is.
    """
    if sight.is_whole:
        return dict(answer)
    found = {key: value if _is_shown(key, sight) else UNSEEN.get(key) for key, value in answer.items()}
    if sight.is_nothing:
        found["contact_id"] = asked
    if not sight.shows("recommendations"):
        known = set(actions)
        own = _own(answer["recommendations"], known) if sight.is_told else []
        found["recommendations"], found["do_nothing"] = own, not own
        if "removed" in answer:
            told = {each["action"] for each in own}
            found["removed"] = [_removed(name) for name in actions if name not in told]
    return found


def seen_profile(profile: Mapping[str, Any], sight: Sight) -> dict[str, Any]:
    """Return what is shown of a contact without what is not seen; what has no empty form is left out."""
    empty = {**UNSEEN, "interests": {}, "timeline": [], "identities": [], "links": [], "account": None}
    found = {key: value if _is_shown(key, sight) else empty.get(key) for key, value in profile.items()}
    return {key: value for key, value in found.items() if key in empty or _is_shown(key, sight)}


def _is_shown(key: str, sight: Sight) -> bool:
    if key in _OF_THE_CALL:
        return True
    return not sight.is_nothing if key in _OF_THE_CHOICE else sight.shows(key)


def _own(recommendations: list[dict[str, Any]], actions: set[str]) -> list[dict[str, Any]]:
    """Return what was chosen, where the owner carries it out; the next best ones would tell what it is worth.

    What is no action, such as something to read, is nothing but an interest of the contact.
    """
    return [_bare(each) for each in recommendations[:1] if each["executor"] != "partner" and each["action"] in actions]


def _bare(recommendation: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {key: value if key in _CARRIED_OUT_BY else None for key, value in recommendation.items()}
    return {**found, "terms": dict.fromkeys(recommendation["terms"]), "evidence": "none", "reasons": []}


def _removed(action: str) -> dict[str, Any]:
    # Which other rule removed it (a complaint, too few points), or that none did, would tell of the contact.
    return {"action": action, "rule": "partner", "detail": "nothing is shown of this contact"}
