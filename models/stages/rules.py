"""The rules that name a contact's journey stage, beside the learnt one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.times import DAY

STAGES = ("unaware", "need", "evaluate", "purchase", "use", "renew")
"""Names of the stages, in order, where ``nba.toml`` gives none."""


@dataclass(frozen=True)
class StageRule:
    """A stage that a contact is in when one of the kinds was seen within the time before ``as_of``."""

    name: str
    seen: tuple[str, ...]
    within_us: int


@dataclass(frozen=True)
class StageRules:
    """Rules in the order they are tried: the first that holds names the stage, else the first name does."""

    names: tuple[str, ...] = STAGES
    rules: tuple[StageRule, ...] = (
        StageRule("use", ("service_search", "support_ticket"), 60 * DAY),
        StageRule("purchase", ("order",), 30 * DAY),
        StageRule("evaluate", ("price_list", "demo_request", "download"), 60 * DAY),
        StageRule("need", ("page_view", "newsletter_open", "search"), 90 * DAY),
    )

    @cached_property
    def within(self) -> NDArray[np.int64]:
        """Microseconds that each rule looks back."""
        return np.array([rule.within_us for rule in self.rules], dtype=np.int64)

    @cached_property
    def kinds_met(self) -> dict[str, bytes]:
        """Which rules name a kind, of those met so far: a byte of 0 or 1 for each rule."""
        return {}

    @cached_property
    def topics_met(self) -> dict[tuple[str, ...], Any]:
        """What lists of topics met so far mean; see ``models.stages.applied``."""
        return {}

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        rules = [{"name": rule.name, "seen": list(rule.seen), "within_us": rule.within_us} for rule in self.rules]
        return {"names": list(self.names), "rules": rules}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` wrote."""
        rules = tuple(StageRule(r["name"], tuple(r["seen"]), int(r["within_us"])) for r in plain["rules"])
        return cls(tuple(plain["names"]), rules)


def rule_stage(rules: StageRules, days_since: Mapping[str, float]) -> str:
    """Stage of one contact by the rules: the first that holds, else the first name.

    Parameters
    ----------
    days_since
        Days from a kind's latest touchpoint to ``as_of``; kinds never seen are missing or NaN.
    """
    for rule in rules.rules:
        within = rule.within_us / DAY
        # The window is [as_of - within, as_of), as everywhere; comparing with NaN is false.
        if any(0 < days_since.get(kind, math.nan) <= within for kind in rule.seen):
            return rule.name
    return rules.names[0]


def rule_stages(rules: StageRules, kinds: Sequence[str], days_since: ArrayLike) -> NDArray[np.int64]:
    """Codes into ``rules.names`` of many contacts at once, shape (n,).

    Parameters
    ----------
    kinds
        What the columns of ``days_since`` stand for.
    days_since
        Days since the latest touchpoint of each kind, float (n, kinds), NaN where never seen.
    """
    days = np.asarray(days_since, dtype=np.float64)
    if days.ndim != 2 or days.shape[1] != len(kinds):
        raise ValueError(f"days_since has shape {days.shape}; {len(kinds)} kinds need (n, {len(kinds)})")
    column = {kind: i for i, kind in enumerate(kinds)}
    stages = np.zeros(len(days), dtype=np.int64)
    for rule in reversed(rules.rules):
        seen = days[:, [column[kind] for kind in rule.seen if kind in column]]
        stages[((seen > 0) & (seen <= rule.within_us / DAY)).any(axis=1)] = rules.names.index(rule.name)
    return stages
