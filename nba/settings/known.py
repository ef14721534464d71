"""What other places of ``nba.toml`` may refer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nba.settings.goals import Goal
from nba.settings.values import Parse, show, text


@dataclass(frozen=True)
class Known:
    """Names defined in the file, and the traits that nothing may look at."""

    goals: Mapping[str, Goal]
    stages: tuple[str, ...]
    actions: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()

    @property
    def usual_goal(self) -> str | None:
        """The goal of an action that names none: conversion, else the first; None without goals."""
        return "conversion" if "conversion" in self.goals else next(iter(self.goals), None)

    @property
    def has_absence_goal(self) -> bool:
        """Whether some goal tells who is about to leave."""
        return any(goal.is_absence for goal in self.goals.values())

    def trait(self, value: object) -> str:
        """Parse the name of a trait that may be looked at."""
        name = text(value)
        if name in self.protected:
            raise ValueError(f"{show(name)} is protected (privacy.protected); choose another trait")
        return name

    def with_trait(self, parse: Parse[tuple[str, ...]]) -> Parse[tuple[str, ...]]:
        """Parse names of traits, none of them protected."""
        return lambda value: tuple(self.trait(name) for name in parse(value))
