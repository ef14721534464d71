"""Choosing: which policy answers, and the draw with the chances it is logged with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nba.contact_policy import Verdict
from nba.draw import Draw, in_holdout, pick
from nba.priority import Terms
from nba.ranking import Choices, Constant, Holdout, Policy, points_policy, serving_policy, settled
from nba.situation import Situation

if TYPE_CHECKING:
    from features.row_types import DecisionRow

# A fixed rule that looks at nobody answers in mode "constant", also where it draws evenly.
_MODES = {"learned": "learned", "constant": "constant", "uniform": "constant"}


@dataclass(frozen=True)
class Rung:
    """What answers: its mode, the policy and its name in the log, and the share that it leaves to points."""

    mode: str
    name: str
    policy: Policy
    holdout: float = 0.0


@dataclass(frozen=True)
class Choice:
    """What was drawn, and the chances it is logged with; ``decided_at`` in microseconds."""

    decision_id: str
    action: str
    chances: Mapping[str, float]
    holdout: bool
    mode: str
    policy: str
    decided_at: int
    is_new: bool = True


def rung_of(situation: Situation, verdict: Verdict, serves: str) -> Rung:
    """Return what answers for a contact.

    Parameters
    ----------
    serves
        What the bundle's gate lets serve; ``points`` without a bundle.
    """
    catalogue, is_unknown = situation.catalogue, situation.known.is_empty
    serves = settled(catalogue, serves)
    mode = "default" if is_unknown else _MODES.get(serves.partition(":")[0], "points")
    duty = next((c for c in verdict.columns if c in catalogue.mandatory), None) if catalogue.mandatory else None
    if duty is not None:
        return Rung(mode, "mandatory", Constant(duty))
    if is_unknown:
        # Nothing may be learnt of people who are unknown or object, so nothing is tried out on them.
        return Rung(mode, "default", points_policy(catalogue))
    return Rung(mode, serves, serving_policy(catalogue, serves), catalogue.settings.ranking.holdout)


def drawn(
    situation: Situation,
    verdict: Verdict,
    terms: Sequence[Terms],
    rung: Rung,
    draw: Draw,
    *,
    beside: DecisionRow | None = None,
) -> Choice:
    """Draw one of the allowed actions.

    Parameters
    ----------
    beside
        The choice that the request sets aside; None where there is none.
    """
    catalogue, request = situation.catalogue, situation.request
    choices = choices_of(situation, verdict, terms)
    account = situation.past.traits.get("account")
    held_out = in_holdout(request.contact, str(account) if account else None, situation.as_of, rung.holdout)
    baseline = points_policy(catalogue)
    by_points, by_policy = baseline.probabilities(choices), rung.policy.probabilities(choices)
    logged = Holdout(baseline, rung.policy, rung.holdout).mixed(by_points, by_policy)[0].tolist()
    drawn_from = (by_points if held_out else by_policy)[0]
    decision_id = request.decision_id or draw.fresh_id(request.contact, request.placement, situation.as_of)
    # Whoever sets a choice aside in ever new ways gets one draw and not as many as it asks for.
    if beside is not None and request.decision_id is None:
        fraction = draw.fraction_beside(beside.decision_id)
    else:
        fraction = draw.fraction(decision_id)
    column = pick(drawn_from, fraction)
    return Choice(
        decision_id=decision_id,
        action=catalogue.names[column],
        chances={catalogue.names[c]: logged[c] for c in verdict.columns},
        holdout=held_out,
        mode="points" if held_out else rung.mode,
        policy=rung.name,
        decided_at=situation.as_of,
    )


def choices_of(situation: Situation, verdict: Verdict, terms: Sequence[Terms]) -> Choices:
    """Lay out what policies choose by for one contact; priorities of what is not allowed are not worked out."""
    priority, error = [0.0] * len(verdict.allowed), [0.0] * len(verdict.allowed)
    for column in verdict.columns[1:]:
        priority[column], error[column] = terms[column - 1].with_error
    return Choices(np.array([priority]), np.array([verdict.allowed]), np.array([situation.points]), np.array([error]))


def repeated(held: DecisionRow) -> Choice:
    """Return an earlier choice as it was logged."""
    return Choice(
        decision_id=held.decision_id,
        action=held.action,
        chances=dict(held.chances or {}),
        holdout=held.holdout,
        mode=held.mode or "points",
        policy=held.policy or "",
        decided_at=held.decided_at,
        is_new=False,
    )
