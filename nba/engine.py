"""The engine: from a contact's past to a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nba.actions import DO_NOTHING, Catalogue
from nba.again import again_at
from nba.chances import shown_chances, shown_drivers
from nba.choice import Choice, drawn, repeated, rung_of
from nba.contact_policy import Refusal
from nba.decision import Decision, Recommendation
from nba.draw import Draw
from nba.infocenter.infocenter import Filled, filled
from nba.occasions.occasions import OCCASION, occurrence
from nba.offers import offers
from nba.partners.leads import PARTNER
from nba.passed_over import in_slots, passed_over
from nba.past import Past
from nba.priority import Worths
from nba.request import Request
from nba.settings.actions import Action
from nba.situation import Situation
from nba.standing import Standing
from nba.sticky import Judged
from nba.tables.tables import NOTHING, Subject
from nba.weighing import Report, weigh

if TYPE_CHECKING:
    from models.belief import Belief
    from models.estimate import Estimate


def decide(
    request: Request,
    past: Past,
    belief: Belief | None,
    catalogue: Catalogue,
    as_of: int,
    draw: Draw,
    *,
    degraded: bool = False,
    report: Report | None = None,
) -> Decision:
    """Choose what to do next for a contact.

    Parameters
    ----------
    past
        Of the contact, strictly before ``as_of``.
    belief
        The bundle that serves; None: the points table decides.
    catalogue
        The settings made ready, ``Catalogue.of(settings)``.
    as_of
        Microseconds.
    draw
        The caller's chance.
    degraded
        Whether a model should have answered and could not, so that ``belief`` is None.
    report
        Told of an error in the model, which is never raised: the answer then comes from the points table and
        is marked as degraded. Left out: the log is told.
    """
    weighed = weigh(request, past, belief, catalogue, as_of, report=report)
    found, estimate, rules, terms = weighed.judged, weighed.estimate, weighed.rules, weighed.terms
    situation, verdict = found.situation, found.verdict
    degraded = degraded or (weighed.asked and estimate is None)
    answering = belief if estimate is not None else None
    slots = filled(found, terms, draw)
    if slots is not None:
        choice = slots.choice
    elif situation.held is not None:
        choice = repeated(situation.held)
    else:
        rung = rung_of(situation, verdict, "points" if answering is None else answering.serves)
        choice = drawn(situation, verdict, terms, rung, draw, beside=found.beside)
    told = {} if answering is None or estimate is None else _believed(estimate, situation, answering.version)
    return _decision(found, terms, choice, rules, slots, {**told, "degraded": degraded})


def _decision(
    found: Judged, terms: Worths, choice: Choice, rules: Standing, slots: Filled | None, told: Mapping[str, Any]
) -> Decision:
    """Put everything together.

    Parameters
    ----------
    told
        More fields of the decision: what a model says, and whether it is missed.
    """
    situation, verdict = found.situation, found.verdict
    catalogue, request = situation.catalogue, situation.request
    sticky_end = choice.decided_at + catalogue.settings.ranking.sticky_us
    action = catalogue.settings.actions.get(choice.action)
    offered = offers(situation, verdict, terms, choice, sticky_end) if slots is None else slots.offered
    names = catalogue.names[1:]
    places = [place for place, name in enumerate(names) if name in choice.chances]
    return Decision(
        decision_id=choice.decision_id,
        contact=request.contact,
        as_of=situation.as_of,
        placement=request.placement,
        action=choice.action,
        chances=choice.chances,
        terms={names[place]: each for place, each in zip(places, terms.at(places), strict=True)},
        recommendations=offered,
        points=rules.points,
        verdict=verdict,
        mode=choice.mode,
        policy=choice.policy,
        stage_by_rule=rules.stage if situation.known is situation.past else None,
        stage_by_topic=rules.stage_by_topic,
        again_at=_again_at(found, choice, sticky_end, slots),
        holdout=choice.holdout,
        topics=slots.topics if slots is not None else action.topics if action is not None else (),
        explain=request.explain,
        language=situation.language,
        defer=request.defer,
        is_new=choice.is_new,
        passed_over=_passed_over(found, terms, choice, slots, offered) if request.explain else (),
        segments=situation.segments,
        properties=_kept(found, action, offered[0].subject if offered else NOTHING)
        if slots is None
        else slots.properties,
        **told,
    )


def _believed(estimate: Estimate, at: Situation, version: str | None) -> dict[str, Any]:
    """Return what only a model tells, by the fields of a decision."""
    return {
        "stage": estimate.stage,
        "propensities": shown_chances(estimate, at, version),
        "model_version": version,
        "drivers": shown_drivers(estimate, at),
        "features_sha": estimate.features_sha,
    }


def _passed_over(
    found: Judged, terms: Worths, choice: Choice, slots: Filled | None, offered: Sequence[Recommendation]
) -> Sequence[Refusal]:
    names = {each.action for each in offered}
    if slots is not None:
        return in_slots(found.situation, found.verdict, names)
    return passed_over(found.situation, found.verdict, terms, choice, names)


def _again_at(found: Judged, choice: Choice, sticky_end: int, slots: Filled | None) -> int | None:
    if slots is not None:
        return slots.again_at
    return again_at(found.situation, found.verdict, sticky_end) if choice.action == DO_NOTHING else None


def _kept(found: Judged, action: Action | None, subject: Subject) -> Mapping[str, object] | None:
    """Return what the log keeps beside the columns: what it is about, its occasion, the partner it was offered to."""
    if action is None:
        return found.properties
    kept = dict(found.properties or {})
    kept.update((name, value) for name, value in subject.to_json().items() if value is not None)
    calling, agreed = occurrence(action, found.situation), found.situation.agreement
    if calling is not None:
        kept[OCCASION] = calling.of
    if agreed is not None and action.executor == "partner":
        kept[PARTNER] = agreed.name
    return kept or None
