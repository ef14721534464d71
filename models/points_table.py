"""The points table: what each kind of touchpoint is worth, and which actions a total calls for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from features.frozen import Frozen

KINDS: Mapping[str, float] = Frozen(
    {
        "bounce": 0.0,
        "visit": 5.0,
        "newsletter_signup": 50.0,
        "newsletter_open": 50.0,
        "download": 100.0,
        "service_call": 250.0,
    }
)
"""Points per touchpoint where ``nba.toml`` names none."""


@dataclass(frozen=True)
class FitPoints:
    """Whether a contact fits at all: points by the value of one trait, shown apart from activity."""

    trait: str
    points: Mapping[str, float]
    """Points per value of the trait, the value as text; any other value counts 0."""


@dataclass(frozen=True)
class Threshold:
    """The actions that a total in ``[from_, below)`` calls for; the first allowed one counts."""

    actions: tuple[str, ...]
    from_: float | None = None
    below: float | None = None

    def holds(self, total: float) -> bool:
        """Tell whether a total lies in ``[from_, below)``; a bound that is None is open."""
        above = self.from_ is None or total >= self.from_
        return above and (self.below is None or total < self.below)


@dataclass(frozen=True)
class PointsTable:
    """One scheme of points, as in ``[points]``; the default is the table of the first sources."""

    kinds: Mapping[str, float] = KINDS
    once: tuple[str, ...] = ("newsletter_signup",)
    """Kinds that count at most once a contact."""
    half_life_us: int | None = None
    """In this time a touchpoint's points fade by half; None when they never do."""
    fit: FitPoints | None = None
    thresholds: tuple[Threshold, ...] = ()
    schemes: Mapping[str, PointsTable] = field(default_factory=Frozen)
    """Further tables by name: shown beside this one, never added up; they have no schemes of their own."""

    @cached_property
    def ever_fades(self) -> bool:
        """Whether the points of this table, or of one of its schemes, hang on when something happened."""
        return any(table.half_life_us is not None for table in (self, *self.schemes.values()))

    def actions(self, total: float) -> tuple[str, ...]:
        """Actions that a total calls for, first threshold first; empty when none holds."""
        return tuple(a for threshold in self.thresholds if threshold.holds(total) for a in threshold.actions)
