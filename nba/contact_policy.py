"""What may be done to a contact now, and the one rule that forbids each other action."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from nba.gates import (
    capacity,
    caps,
    eligibility,
    holds,
    owned,
    partner,
    pauses,
    permission,
    suitability,
    timing,
)
from nba.gates.refusal import Asked, Gate, Refusal
from nba.situation import Situation

__all__ = ["GATES", "Refusal", "Verdict", "allowed"]


@dataclass(frozen=True)
class Verdict:
    """Which actions are allowed, the refusal of every other one, and how many each gate left."""

    allowed: tuple[bool, ...]
    """Of each column of the catalogue; "do nothing" is always allowed."""
    refusals: tuple[Refusal, ...]
    left: Mapping[str, int]
    """Actions left after each gate, "do nothing" not counted; ``actions`` is how many there were."""

    @cached_property
    def columns(self) -> list[int]:
        """Columns of the allowed actions, "do nothing" first."""
        return [column for column, may in enumerate(self.allowed) if may]


def allowed(situation: Situation, *, without: Collection[str] = ()) -> Verdict:
    """Send every action through the gates; the first one that removes it gives the reason.

    Parameters
    ----------
    without
        Gates that are left open, by name: what would be allowed if they were not there.
    """
    catalogue = situation.catalogue
    may = [True] * len(catalogue)
    refusals: dict[int, Refusal] = {}
    left = {"actions": len(catalogue.actions)}
    for name, gate, asked in GATES:
        if name not in without:
            for column, action in asked(situation):
                refusal = gate(action, situation) if may[column] else None
                if refusal is not None:
                    may[column] = False
                    refusals[column] = refusal
        left[name] = len(catalogue.actions) - len(refusals)
    return Verdict(tuple(may), tuple(refusals[column] for column in sorted(refusals)), left)


def _all_where(holds: Callable[[Situation], object]) -> Asked:
    return lambda at: at.catalogue.numbered if holds(at) else ()


GATES: tuple[tuple[str, Gate, Asked], ...] = (
    ("eligibility", eligibility.eligibility, eligibility.conditional),
    ("owned", owned.owned, owned.may_be_owned),
    ("season", eligibility.season, lambda at: at.catalogue.seasonal),
    ("suitability", suitability.suitability, lambda at: at.catalogue.staged),
    ("consent", permission.consent, _all_where(lambda at: any(at.withheld.values()))),
    ("preference", permission.preference, _all_where(lambda at: at.wishes)),
    ("partner", partner.partner, _all_where(partner.is_bound)),
    ("hold", holds.hold, _all_where(lambda at: at.open_cases)),
    ("quiet", timing.quiet, _all_where(lambda at: at.quiet)),
    ("calendar", timing.calendar, _all_where(lambda at: at.closed)),
    ("cap", caps.cap, _all_where(lambda at: at.full)),
    ("paused", pauses.paused, _all_where(pauses.has_pause)),
    ("capacity", capacity.capacity, lambda at: at.catalogue.limited),
    ("excluded", permission.excluded, _all_where(lambda at: at.request.exclude)),
)
"""In the order they are passed: name, gate, and the actions that it may remove now."""
