"""Everything about a contact's actions but the choice: what is allowed, and what each is worth."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from nba.actions import Catalogue
from nba.consent import Ledger
from nba.past import Past
from nba.priority import Worths, terms_of
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


@dataclass(frozen=True)
class Weighed:
    """Everything about a contact's actions but the choice: what is allowed, what each is worth, and by which belief."""

    judged: Judged
    terms: Worths
    """In the catalogue's order without "do nothing"."""
    rules: Standing
    estimate: Estimate | None
    """None where no model answered."""
    asked: bool
    """Whether a model was asked."""


def weigh(
    request: Request,
    past: Past,
    belief: Belief | None,
    catalogue: Catalogue,
    as_of: int,
    *,
    report: Report | None = None,
) -> Weighed:
    """Send every action through the gates and work out its terms; the parameters are those of ``decide``."""
    if past.contact is not None and past.contact.contact_id != request.contact:
        # Whichever of its identities a contact is asked about by, it is one contact, with one chance.
        request = replace(request, contact=past.contact.contact_id)
    ledger = Ledger(past.touchpoints, as_of, catalogue.channel_of)
    known = past if ledger.may_profile(catalogue.settings.contact_policy.consent) else _nothing()
    rules = standing(known, catalogue.settings, as_of)
    estimate = None
    if belief is not None and not known.is_empty:
        estimate = _estimated(belief, known, catalogue, as_of, request.explain, report or _log)
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
        model_version=belief.version if belief is not None and estimate is not None else None,
    )
    found = judged(situation)
    answering = belief if estimate is not None else None
    terms = terms_of(found.situation, estimate, success_values(answering))
    return Weighed(found, terms, rules, estimate, belief is not None and not known.is_empty)


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
        # For as many numbers as there are actions a list is quicker than masks are.
        outside = [chance for chance in chances.tolist() if chance < 0 or chance > 1]
        if len(chances) != n or outside:
            raise ValueError(f"the model's {name} has {len(chances)} entries for {n} actions, of them {outside}")
    for goal, chance in found.propensities.items():
        if not 0 <= chance <= 1:
            raise ValueError(f"the model's propensity of {goal} is {chance}; it must lie in [0, 1]")


def success_values(belief: Belief | None) -> Mapping[str, float]:
    """Mean margin of a success, for the goals it was learnt for."""
    goals = {} if belief is None else belief.manifest["goals"]
    found = {goal: described.get("success_value") for goal, described in goals.items()}
    return {goal: value for goal, value in found.items() if value is not None}
