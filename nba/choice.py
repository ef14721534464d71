"""Choosing: which policy answers, and the draw with the chances it is logged with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nba.actions import Catalogue
from nba.contact_policy import Verdict
from nba.draw import Draw, in_holdout, pick
from nba.priority import Worths
from nba.ranking import Choices, Constant, Holdout, Policy, points_policy, serving_policy, settled
from nba.situation import Situation
from nba.worth import KEEPS, PRIORITY, SPREAD

if TYPE_CHECKING:
    from features.rows.row_types import DecisionRow

# A fixed rule that looks at nobody answers in mode "constant", also where it draws evenly.
_MODES = {"learned": "learned", "constant": "constant", "uniform": "constant"}


@dataclass(frozen=True)
class Rung:
    """What answers: its mode, the policy and its name in the log, and the share that it leaves to points."""

    mode: str
    name: str
    policy: Policy
    holdout: float = 0.0


class Choice(NamedTuple):
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
    return Rung(mode, serves, served(catalogue, serves), catalogue.settings.ranking.holdout)


def served(catalogue: Catalogue, serves: str) -> Policy:
    """Return the policy of a name, made once for a catalogue."""
    policies: dict[str, Policy] = catalogue.policies
    if serves not in policies:
        policies[serves] = serving_policy(catalogue, serves)
    return policies[serves]


def drawn(
    situation: Situation,
    verdict: Verdict,
    terms: Worths,
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
    called = baseline.called(situation.points, verdict.allowed)
    by_policy = rung.policy.probabilities(choices)[0].tolist()
    logged = Holdout(baseline, rung.policy, rung.holdout).mixed(called, by_policy)
    decision_id = request.decision_id or draw.fresh_id(request.contact, request.placement, situation.as_of)
    # Whoever sets a choice aside in ever new ways gets one draw and not as many as it asks for.
    if beside is not None and request.decision_id is None:
        fraction = draw.fraction_beside(beside.decision_id)
    else:
        fraction = draw.fraction(decision_id)
    column = called if held_out else pick(by_policy, fraction)
    return Choice(
        decision_id=decision_id,
        action=catalogue.names[column],
        chances={catalogue.names[c]: logged[c] for c in verdict.columns},
        holdout=held_out,
        mode="points" if held_out else rung.mode,
        policy=rung.name,
        decided_at=situation.as_of,
    )


def choices_of(situation: Situation, verdict: Verdict, terms: Worths) -> Choices:
    """Lay out what policies choose by for one contact."""
    may = np.frombuffer(bytearray(verdict.allowed), dtype=np.bool_)[None]
    table = terms.table
    return Choices(table[PRIORITY:SPREAD], may, np.array([situation.points]), table[SPREAD:KEEPS])


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
