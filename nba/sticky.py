"""Sticky choices: what was chosen for a contact stays chosen for a while, on all channels and reloads.

A request may set such a choice aside: it excludes the action, or asks for a placement that the action is not for.
What it gets instead stands beside the choice and takes its place for nobody but requests with the same bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from features.touchpoints.touchpoints import NONE
from nba.actions import DO_NOTHING, Catalogue
from nba.approach_rule import OUTBOUND
from nba.consent import Ledger
from nba.contact_policy import Verdict, allowed
from nba.past import Past
from nba.request import Request
from nba.situation import Situation

if TYPE_CHECKING:
    from features.rows.row_types import DecisionRow


DEFAULT = "default"
"""The mode of a choice for somebody of whom nothing is known, or may be."""
RESTRICTED = "restricted"
"""Under this name a decision keeps the bounds of its request, where it is no usual choice."""


@dataclass(frozen=True)
class Judged:
    """A situation with the choice that stays in it, if any, and its verdict."""

    situation: Situation
    verdict: Verdict
    beside: DecisionRow | None = None
    """The choice that the request sets aside, and that anybody else would get again."""

    @property
    def properties(self) -> Mapping[str, object] | None:
        """What the log keeps of a decision that was made here."""
        return None if self.beside is None else {RESTRICTED: _bounds(self.situation.request)}


def judged(situation: Situation) -> Judged:
    """Pass the gates, with the earlier choice where it stays and without it where it does not."""
    past, as_of = situation.past, situation.as_of
    sticky_us = situation.catalogue.settings.ranking.sticky_us
    usual = held_choice(past, sticky_us, as_of)
    for held in (usual, held_choice(past, sticky_us, as_of, _bounds(situation.request))):
        if held is not None:
            found = _holding(held, situation)
            if found is not None:
                return found
    # A choice that does not stay counts in the caps like any other.
    return Judged(situation, allowed(situation), None if usual is None else _set_aside(usual, situation))


Bounds = Mapping[str, object] | None
"""What the request of a decision left out; None where it is the usual choice."""


def held_choice(
    past: Past, sticky_us: int, as_of: int, bounds: Bounds | Callable[[Bounds], bool] = None
) -> DecisionRow | None:
    """Return the last decision of ours that nothing has overtaken; None where there is none.

    What overtakes it: the time ``sticky_us``, a touchpoint of the contact at or after it, an outcome of it.

    Parameters
    ----------
    bounds
        Those of a request, for what such requests got beside the usual choice; None: the usual choice. Or which
        will do.
    """
    last = None
    for row in reversed(past.decisions):
        # They are in the order of their time: all that are left are too old.
        if row.decided_at + sticky_us <= as_of:
            return None
        # Decisions that were loaded from elsewhere have no chances: nothing here may repeat them.
        if row.chances is not None:
            found = _bounds_of(row)
            if bounds(found) if callable(bounds) else found == bounds:
                last = row
                break
    if last is None or not last.decided_at < as_of:
        return None
    t = past.touchpoints
    since = int(t.occurred_at.searchsorted(last.decided_at))
    # An outcome may have happened before the decision was logged: feedback can be first.
    if not t.outbound[since:].all() or any(
        code != NONE and t.decisions[code] == last.decision_id for code in t.decision.tolist()
    ):
        return None
    return last


def still_holds(held: DecisionRow, verdict: Verdict, catalogue: Catalogue) -> bool:
    """Whether the choice may be given again.

    An action must still be allowed. "Do nothing" stays only while nothing is allowed that was not when it was
    chosen: where quiet hours or a cap were the reason, it ends with them. Mandatory actions do not wait.
    """
    allowed = {catalogue.names[column] for column in verdict.columns}
    duties = {name for name in allowed - {DO_NOTHING} if catalogue.settings.actions[name].class_ == "mandatory"}
    if held.action not in allowed or (duties and held.action not in duties):
        return False
    return held.action != DO_NOTHING or allowed <= set(held.chances or ())


def is_as_known(held: DecisionRow, situation: Situation) -> bool:
    """Whether as much may be known of the contact as when the choice was made.

    A word about that may come in late, or from ourselves, and then overtakes nothing.
    """
    consent = situation.catalogue.settings.contact_policy.consent
    may = situation.ledger.may_profile(consent)
    if held.mode != DEFAULT:
        return may
    then = Ledger(situation.past.touchpoints, held.decided_at, situation.catalogue.channel_of)
    return not may or then.may_profile(consent)


def _holding(held: DecisionRow, situation: Situation) -> Judged | None:
    if not is_as_known(held, situation):
        return None
    situation = replace(situation, held=held)
    verdict = allowed(situation)
    return Judged(situation, verdict) if still_holds(held, verdict, situation.catalogue) else None


def _set_aside(held: DecisionRow, situation: Situation) -> DecisionRow | None:
    """Return the choice if only the request's own bounds are in its way."""
    free = replace(situation.request, exclude=(), placement=held.placement or OUTBOUND)
    return None if _holding(held, replace(situation, request=free)) is None else held


def _bounds_of(row: DecisionRow) -> Bounds:
    found = (row.properties or {}).get(RESTRICTED)
    return found if isinstance(found, Mapping) else None


def _bounds(request: Request) -> Mapping[str, object]:
    """Return what a request leaves out, in whatever order it names it."""
    return {"placement": request.placement, "exclude": sorted(request.exclude)}
