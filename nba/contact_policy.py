"""What may be done to a contact now, and the one rule that forbids each other action."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
from nba.settings.actions import Action
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
    remaining: Sequence[tuple[int, Action]] = catalogue.numbered
    refusals: dict[int, Refusal] = {}
    left = {"actions": len(remaining)}
    for name, gate, is_closed in GATES:
        if name not in without and (is_closed is None or is_closed(situation)):
            passed = []
            for each in remaining:
                refusal = gate(each[1], situation)
                if refusal is None:
                    passed.append(each)
                else:
                    refusals[each[0]] = refusal
            remaining = passed
        left[name] = len(remaining)
    may = [False] * len(catalogue)
    may[0] = True
    for column, _ in remaining:
        may[column] = True
    return Verdict(tuple(may), tuple(refusals[column] for column in sorted(refusals)), left)


GATES: tuple[tuple[str, Gate, Asked | None], ...] = (
    ("eligibility", eligibility.eligibility, None),
    ("owned", owned.owned, owned.may_be_owned),
    ("season", eligibility.season, lambda at: at.catalogue.has_seasons),
    ("suitability", suitability.suitability, None),
    ("consent", permission.consent, lambda at: any(at.withheld.values())),
    ("preference", permission.preference, lambda at: at.wishes),
    ("partner", partner.partner, partner.is_bound),
    ("hold", holds.hold, lambda at: at.open_cases),
    ("quiet", timing.quiet, lambda at: at.quiet),
    ("calendar", timing.calendar, lambda at: at.closed),
    ("cap", caps.cap, lambda at: at.full),
    ("paused", pauses.paused, pauses.has_pause),
    ("capacity", capacity.capacity, capacity.is_short),
    ("excluded", permission.excluded, lambda at: at.request.exclude),
)
"""In the order they are passed: name, gate, and whether it can remove anything now (None: always)."""
