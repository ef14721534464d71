"""An answer as far as whoever asked may see it: of a contact that is not for its eyes it looks as of nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.saying.said import Said
from models.saying.tongues import EN, say
from nba.partners.visibility import UNKNOWN, Sight, has_parts, part_of
from nba.settings import Settings
from nba.settings.actions import CostByTrait

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

_UNSEEN_PARTS: Mapping[str, Any] = {
    "points.total": 0.0,
    "points.actions": [],
    "points.log": [],
    "points.schemes": {},
    "propensities.*.for": [],
    "propensities.*.against": [],
    "recommendations.reasons": [],
    "removed.detail": Said("partner.kept"),
}
_UNSEEN_PROFILE: Mapping[str, Any] = {"interests": {}, "timeline": [], "identities": [], "links": [], "account": None}
_FORMS: Mapping[str, Any] = {**UNSEEN, **_UNSEEN_PARTS, **_UNSEEN_PROFILE}

_OF_THE_CALL = ("decision_id", "contact_id", "as_of", "degraded")
"""What stands in the answer about a contact of which nothing is seen."""
_CARRIED_OUT_BY = ("rank", "action", "channel", "executor", "goal", "inform", "not_before", "valid_until")
"""What somebody needs in order to carry an action out."""


def seen_answer(
    answer: Mapping[str, Any], sight: Sight, asked: str, settings: Settings, language: str = EN
) -> dict[str, Any]:
    """Return the answer of a decision without what is not seen; ``visibility.FIELDS`` says what that is.

    Where the owner may act, it is told of its own action, and of nothing that led to it: no terms, no reasons. What a
    partner carries out is the partner's alone.

    Parameters
    ----------
    answer
        As ``Decision.to_json`` makes it.
    asked
        The identity that the caller named: it learns no other one.
    language
        Of what is told in words.
    """
    if sight.is_whole:
        return dict(answer)
    if sight.is_nothing:
        found = {key: value if key in _OF_THE_CALL else UNSEEN.get(key) for key, value in answer.items()}
        found["contact_id"] = asked
    else:
        found = _seen_parts(answer, sight, settings)
    removed = found.get("removed")
    if removed:
        found["removed"] = [{**each, "detail": say(each["detail"], language)} for each in removed]
    if sight.shows("recommendations"):
        return _without_reading(found, sight, settings)
    own = _own(answer["recommendations"], settings) if sight.is_told else []
    found["recommendations"], found["do_nothing"] = own, not own
    if "removed" in answer:
        told = {each["action"] for each in own}
        found["removed"] = [_removed(name, language) for name in settings.actions if name not in told]
    return found


def seen_profile(profile: Mapping[str, Any], sight: Sight, settings: Settings) -> dict[str, Any]:
    """Return what is shown of a contact without what is not seen; what has no empty form is left out."""
    if sight.is_whole:
        return dict(profile)
    found = _seen_parts(profile, sight, settings)
    return {key: value for key, value in found.items() if key in _FORMS or sight.shows(key)}


def _seen_parts(answer: Mapping[str, Any], sight: Sight, settings: Settings) -> dict[str, Any]:
    """Return what is seen of a contact that is seen in part."""
    fit = settings.points.fit
    traits = {"points.fit": None if fit is None else fit.trait}
    found = {key: _seen(value, key, sight, traits) for key, value in answer.items() if key != "recommendations"}
    if "recommendations" in answer:
        found["recommendations"] = [_seen_offer(each, sight, settings) for each in answer["recommendations"]]
    if "segments" in found:
        found["segments"] = [name for name in found["segments"] if shows_segment(name, sight, settings)]
    return {key: found[key] for key in answer}


def _seen(value: Any, field: str, sight: Sight, traits: Mapping[str, str | None]) -> Any:
    if not sight.shows(field, traits.get(field, UNKNOWN)):
        return _FORMS.get(field)
    if not has_parts(field):
        return value
    if isinstance(value, Mapping):
        return {name: _seen(each, part_of(field, name), sight, traits) for name, each in value.items()}
    return [_seen(each, field, sight, traits) for each in value] if isinstance(value, list) else value


def _seen_offer(offer: Mapping[str, Any], sight: Sight, settings: Settings) -> Any:
    action = settings.actions.get(offer["action"])
    cost = action.cost if action is not None else None
    of = cost.trait if isinstance(cost, CostByTrait) else None
    return _seen(offer, "recommendations", sight, {"recommendations.terms.cost": of})


def shows_segment(name: str, sight: Sight, settings: Settings) -> bool:
    """Whether it is seen that somebody is in a segment: one that is made of topics or traits tells of them."""
    if not sight.shows("segments"):
        return False
    made_of = settings.segments.get(name)
    if made_of is None or (made_of.topics and not sight.shows("interests")):
        return False
    return all(sight.shows(trait) for trait in (*made_of.traits, *made_of.missing))


def _without_reading(answer: dict[str, Any], sight: Sight, settings: Settings) -> dict[str, Any]:
    """Take out what to read, where interests are not seen: it would be nothing but one of them."""
    if sight.shows("recommendations.content_id"):
        return answer
    offers = [each for each in answer["recommendations"] if each["action"] in settings.actions]
    return {**answer, "recommendations": offers, "do_nothing": not offers}


def _own(recommendations: list[dict[str, Any]], settings: Settings) -> list[dict[str, Any]]:
    """Return what was chosen, where the owner carries it out; the next best ones would tell what it is worth.

    What is no action, such as something to read, is nothing but an interest of the contact.
    """
    first = [each for each in recommendations[:1] if each["executor"] != "partner"]
    return [_bare(each) for each in first if each["action"] in settings.actions]


def _bare(recommendation: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {key: value if key in _CARRIED_OUT_BY else None for key, value in recommendation.items()}
    return {**found, "terms": dict.fromkeys(recommendation["terms"]), "evidence": "none", "reasons": []}


def _removed(action: str, language: str) -> dict[str, Any]:
    # Which other rule removed it (a complaint, too few points), or that none did, would tell of the contact.
    return {"action": action, "rule": "partner", "detail": say(Said("partner.not_shown"), language)}
