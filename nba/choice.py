"""Choosing: which policy answers, and the draw with the chances it is logged with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from nba.actions import Catalogue
from nba.contact_policy import Verdict
from nba.draw import Draw, in_holdout
from nba.odds import Rule, draw_one
from nba.priority import Worths
from nba.ranking import Constant, called_column, points_policy, rule_of, serving_policy, settled
from nba.situation import Situation

if TYPE_CHECKING:
    from features.rows.row_types import DecisionRow

# A fixed rule that looks at nobody answers in mode "constant", also where it draws evenly.
_MODES = {"learned": "learned", "constant": "constant", "uniform": "constant"}


class Rung(NamedTuple):
    """What answers: its mode, its name in the log, how it chooses, and the share that it leaves to points."""

    mode: str
    name: str
    rule: Rule
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
    rungs: dict[tuple[str, bool], Rung] = catalogue.rungs
    rung = rungs.get((serves, is_unknown))
    if rung is None:
        rung = rungs[serves, is_unknown] = _rung(catalogue, serves, is_unknown)
    if catalogue.mandatory:
        duty = next((c for c in verdict.columns if c in catalogue.mandatory), None)
        if duty is not None:
            return Rung(rung.mode, "mandatory", rule_of(Constant(duty)))
    return rung


def _rung(catalogue: Catalogue, serves: str, is_unknown: bool) -> Rung:
    """Return what answers where no action is mandatory."""
    if is_unknown:
        # Nothing may be learnt of people who are unknown or object, so nothing is tried out on them.
        return Rung("default", "default", rule_of(points_policy(catalogue)))
    serves = settled(catalogue, serves)
    mode = _MODES.get(serves.partition(":")[0], "points")
    return Rung(mode, serves, rule_of(serving_policy(catalogue, serves)), float(catalogue.settings.ranking.holdout))


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
    names = catalogue.names
    decision_id = request.decision_id or draw.fresh_id(request.contact, request.placement, situation.as_of)
    # Whoever sets a choice aside in ever new ways gets one draw and not as many as it asks for.
    if beside is not None and request.decision_id is None:
        fraction = draw.fraction_beside(beside.decision_id)
    else:
        fraction = draw.fraction(decision_id)
    called = called_column(catalogue.thresholds, situation.points, verdict.allowed)
    column, logged = draw_one(rung.rule, terms.table, verdict.allowed, called, rung.holdout, fraction)
    account = situation.past.traits.get("account")
    held_out = in_holdout(request.contact, str(account) if account else None, situation.as_of, rung.holdout)
    return Choice(
        decision_id=decision_id,
        action=names[called if held_out else column],
        chances={names[c]: logged[c] for c in verdict.columns},
        holdout=held_out,
        mode="points" if held_out else rung.mode,
        policy=rung.name,
        decided_at=situation.as_of,
    )


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
