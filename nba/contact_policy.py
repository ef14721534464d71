"""What may be done to a contact now, and the one rule that forbids each other action."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

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
from nba.once import once
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

    @once
    def columns(self) -> list[int]:
        """Columns of the allowed actions, "do nothing" first."""
        return [column for column, may in enumerate(self.allowed) if may]


def allowed(situation: Situation, *, without: Collection[str] = ()) -> Verdict:
    """Send every action that is asked about through the gates; the first one that removes it gives the reason.

    Parameters
    ----------
    without
        Gates that are left open, by name: what would be allowed if they were not there.
    """
    catalogue, only = situation.catalogue, situation.request.only
    may, count = [True] * len(catalogue), len(catalogue.actions)
    if only is not None:
        may, count = [column in (0, catalogue.column[only]) for column in range(len(catalogue))], 1
    refusals: dict[int, Refusal] = {}
    left = {"actions": count}
    for name, gate, asked in GATES:
        if name not in without:
            for column, action in asked(situation):
                if may[column]:
                    refusal = gate(action, situation)
                    if refusal is not None:
                        may[column] = False
                        refusals[column] = refusal
                        count -= 1
        left[name] = count
    return Verdict(tuple(may), tuple([refusals[column] for column in sorted(refusals)]), left)


def _all_where(holds: Callable[[Situation], object]) -> Asked:
    return lambda at: at.catalogue.numbered if holds(at) else ()


def _all_with(fact: str) -> Asked:
    """Return what asks about every action where a fact of the situation is not nothing."""
    return lambda at: at.catalogue.numbered if getattr(at, fact) else ()


def _on(channels: Iterable[str], at: Situation) -> Sequence[tuple[int, Action]]:
    """Return the actions on some channels."""
    of = at.catalogue.on_channel
    return [each for channel in channels for each in of.get(channel, ())]


def _withheld(at: Situation) -> Sequence[tuple[int, Action]]:
    return _on([channel for channel, why in at.withheld.items() if why is not None], at)


GATES: tuple[tuple[str, Gate, Asked], ...] = (
    ("eligibility", eligibility.eligibility, eligibility.conditional),
    ("owned", owned.owned, owned.may_be_owned),
    ("season", eligibility.season, lambda at: at.catalogue.seasonal),
    ("suitability", suitability.suitability, lambda at: at.catalogue.staged),
    ("consent", permission.consent, _withheld),
    ("preference", permission.preference, _all_with("wishes")),
    ("partner", partner.partner, _all_where(partner.is_bound)),
    ("hold", holds.hold, _all_with("open_cases")),
    ("quiet", timing.quiet, lambda at: _on(at.quiet, at)),
    ("calendar", timing.calendar, _all_with("closed")),
    ("cap", caps.cap, _all_with("full")),
    ("paused", pauses.paused, _all_where(pauses.has_pause)),
    ("capacity", capacity.capacity, lambda at: at.catalogue.limited),
    ("excluded", permission.excluded, lambda at: at.catalogue.numbered if at.request.exclude else ()),
)
"""In the order they are passed: name, gate, and the actions that it may remove now."""
