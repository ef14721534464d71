"""The engine: from a contact's past to a decision."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from nba.actions import DO_NOTHING, Catalogue
from nba.chances import shown_chances, shown_drivers
from nba.choice import Choice, drawn, repeated, rung_of
from nba.consent import Ledger
from nba.decision import Decision
from nba.draw import Draw
from nba.offers import again_at, offers
from nba.past import Past
from nba.priority import Terms, terms_of
from nba.request import Request
from nba.situation import Situation
from nba.standing import Standing, standing
from nba.sticky import Judged, judged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.feature_set import FeatureSet
    from models.belief import AccountColumns, Belief
    from models.estimate import Estimate

Report = Callable[[Exception], None]


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
    if past.contact is not None:
        # Whichever of its identities a contact is asked about by, it is one contact, with one chance.
        request = replace(request, contact=past.contact.contact_id)
    ledger = Ledger(past.touchpoints, as_of, catalogue.channel_of)
    known = past if ledger.may_profile(catalogue.settings.contact_policy.consent) else _nothing()
    rules = standing(known, catalogue.settings, as_of)
    estimate = None
    if belief is not None and not known.is_empty:
        estimate = _estimated(belief, known, catalogue, as_of, request.explain, report or _log)
        degraded = degraded or estimate is None
    situation = Situation(
        catalogue=catalogue,
        request=request,
        past=past,
        known=known,
        as_of=as_of,
        ledger=ledger,
        points=rules.total,
        stage=(estimate.stage if estimate is not None else None) or rules.stage,
        rule_stage=_unlearnt(rules.stage, estimate),
        propensities={} if estimate is None else estimate.propensities,
    )
    found = judged(situation)
    situation, verdict = found.situation, found.verdict
    answering = belief if estimate is not None else None
    terms = terms_of(situation, estimate, _success_values(answering))
    if situation.held is not None:
        choice = repeated(situation.held)
    else:
        rung = rung_of(situation, verdict, "points" if answering is None else answering.serves)
        choice = drawn(situation, verdict, terms, rung, draw, beside=found.beside)
    decision = _decision(found, terms, choice, rules)
    if answering is None or estimate is None:
        return replace(decision, degraded=degraded)
    return replace(
        decision,
        stage=estimate.stage,
        propensities=shown_chances(estimate, situation, answering.version),
        model_version=answering.version,
        drivers=shown_drivers(estimate, situation),
    )


def _unlearnt(stage: str, estimate: Estimate | None) -> str | None:
    """Return the stage by rule where the learnt ones lack it: else what suits that stage would suit nobody."""
    learnt = () if estimate is None else estimate.learnt_stages
    return stage if stage not in learnt else None


@cache
def _nothing() -> Past:
    return Past.nothing()


def _log(error: Exception) -> None:
    logging.getLogger(__name__).error("the model could not answer, so the points table did", exc_info=error)


def _estimated(
    belief: Belief, known: Past, catalogue: Catalogue, as_of: int, explain: bool, report: Report
) -> Estimate | None:
    try:
        found = belief.estimate(
            known.touchpoints, known.traits, as_of, catalogue.candidates, explain=explain, **_account(known, catalogue)
        )
        _check(found, len(catalogue.candidates))
    except Exception as error:
        # Whatever is wrong with a model, the contact's question has an answer.
        report(error)
        return None
    return found


def _account(known: Past, catalogue: Catalogue) -> dict[str, AccountColumns]:
    """How to find out about the contact's account, where it belongs to one."""
    account, consent = known.account, catalogue.settings.contact_policy.consent
    if account is None:
        return {}

    def columns(features: FeatureSet, as_of: int) -> NDArray[Any]:
        return account.columns(features, as_of, lambda theirs: Ledger(theirs, as_of, {}).may_profile(consent))

    return {"account": columns}


def _check(found: Estimate, n: int) -> None:
    """Refuse chances that are none; NaN is "not known" and right."""
    for name, chances in (("propensity", found.propensity), ("without_action", found.without_action)):
        outside = chances[(chances < 0) | (chances > 1)].tolist()
        if len(chances) != n or outside:
            raise ValueError(f"the model's {name} has {len(chances)} entries for {n} actions, of them {outside}")
    for goal, chance in found.propensities.items():
        if not 0 <= chance <= 1:
            raise ValueError(f"the model's propensity of {goal} is {chance}; it must lie in [0, 1]")


def _success_values(belief: Belief | None) -> Mapping[str, float]:
    """Mean margin of a success, for the goals it was learnt for."""
    goals = {} if belief is None else belief.manifest["goals"]
    found = {goal: described.get("success_value") for goal, described in goals.items()}
    return {goal: value for goal, value in found.items() if value is not None}


def _decision(found: Judged, terms: tuple[Terms, ...], choice: Choice, rules: Standing) -> Decision:
    """Put together what is known without a model."""
    situation, verdict = found.situation, found.verdict
    catalogue, request = situation.catalogue, situation.request
    sticky_end = choice.decided_at + catalogue.settings.ranking.sticky_us
    action = catalogue.settings.actions.get(choice.action)
    is_open = situation.known is situation.past
    return Decision(
        decision_id=choice.decision_id,
        contact=request.contact,
        as_of=situation.as_of,
        placement=request.placement,
        action=choice.action,
        chances=choice.chances,
        terms={a.name: t for a, t in zip(catalogue.actions, terms, strict=True) if a.name in choice.chances},
        recommendations=offers(situation, verdict, terms, choice, sticky_end),
        points=rules.points,
        verdict=verdict,
        mode=choice.mode,
        policy=choice.policy,
        stage_by_rule=rules.stage if is_open else None,
        stage_by_topic=rules.stage_by_topic,
        again_at=again_at(verdict, sticky_end, situation.as_of) if choice.action == DO_NOTHING else None,
        holdout=choice.holdout,
        topics=action.topics if action is not None else (),
        explain=request.explain,
        defer=request.defer,
        is_new=choice.is_new,
        properties=found.properties,
    )
