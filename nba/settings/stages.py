"""Journey stages; ``[stages]``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from models.stages.rules import STAGES, StageRule, StageRules
from nba.settings import values
from nba.settings.table import Table


@dataclass(frozen=True)
class Stages:
    """Names in order, how many clusters, and the rules beside them."""

    names: tuple[str, ...] = STAGES
    clusters: Literal["auto"] | int = "auto"
    rules: StageRules = field(default_factory=StageRules)


def read_stages(table: Table) -> Stages:
    """Read ``[stages]``; the rules shown in the example hold only for names that are still there."""
    names = table.take("names", values.some_texts, STAGES)
    clusters = table.take("clusters", _clusters(len(names)), Stages.clusters)
    if "rules" in table:
        rules = tuple(
            _read_rule(name, child) for name, child in table.child("rules").children(values.among("stage", names))
        )
    else:
        rules = tuple(rule for rule in StageRules().rules if rule.name in names)
    table.knows("rules")
    table.close()
    return Stages(names, clusters, StageRules(names, rules))


def _read_rule(name: str, table: Table) -> StageRule:
    seen = table.require("seen", values.some_texts, (), 'list kinds of touchpoints, such as ["order"]')
    within = table.require("within", values.positive_duration, 0, 'write a duration such as "30d"')
    table.close()
    return StageRule(name, seen, within)


def _clusters(names: int) -> values.Parse[Literal["auto"] | int]:
    def parse(value: object) -> Literal["auto"] | int:
        if value == "auto":
            return "auto"
        if isinstance(value, int) and not isinstance(value, bool) and 2 <= value <= names:
            return value
        raise ValueError(
            f'{values.show(value)} clusters cannot be; write "auto" or a whole number from 2 to {names}, '
            "the number of names they are given"
        )

    return parse
