"""What may be done to a contact now, and the one rule that forbids each other action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nba.gates import caps, eligibility, pauses, permission, suitability, timing
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

    @property
    def columns(self) -> list[int]:
        """Columns of the allowed actions, "do nothing" first."""
        return [column for column, may in enumerate(self.allowed) if may]


def allowed(situation: Situation) -> Verdict:
    """Send every action through the gates; the first one that removes it gives the reason."""
    catalogue = situation.catalogue
    remaining = list(enumerate(catalogue.actions, start=1))
    refusals: list[Refusal] = []
    left = {"actions": len(remaining)}
    for name, gate, is_closed in GATES:
        if is_closed is None or is_closed(situation):
            found = [(column, action, gate(action, situation)) for column, action in remaining]
            refusals += [refusal for _, _, refusal in found if refusal is not None]
            remaining = [(column, action) for column, action, refusal in found if refusal is None]
        left[name] = len(remaining)
    passed = {0, *(column for column, _ in remaining)}
    refusals.sort(key=lambda refusal: catalogue.column[refusal.action])
    return Verdict(tuple(column in passed for column in range(len(catalogue))), tuple(refusals), left)


GATES: tuple[tuple[str, Gate, Asked | None], ...] = (
    ("eligibility", eligibility.eligibility, None),
    ("season", eligibility.season, None),
    ("suitability", suitability.suitability, None),
    ("consent", permission.consent, lambda at: any(at.withheld.values())),
    ("quiet", timing.quiet, lambda at: at.quiet),
    ("cap", caps.cap, lambda at: at.full),
    ("paused", pauses.paused, pauses.has_pause),
    ("excluded", permission.excluded, lambda at: at.request.exclude),
)
"""In the order they are passed: name, gate, and whether it can remove anything now (None: always)."""
