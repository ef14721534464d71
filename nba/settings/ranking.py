"""How one of the allowed actions is chosen; ``[ranking]`` and ``[plan]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from features.frozen import Frozen
from features.times import DAY
from nba.settings import values
from nba.settings.table import Table


@dataclass(frozen=True)
class Ranking:
    """The policy, its exploration, its holdout and the business weights."""

    policy: str = "epsilon"
    epsilon: float = 0.02
    holdout: float = 0.02
    sticky_us: int = 7 * DAY
    levers: Mapping[str, float] = Frozen()
    """Percent per action: +20 makes 1.2."""

    def lever(self, action: str) -> float:
        """Factor of an action; 1 where the file gives it no lever.

        Examples
        --------
        >>> Ranking(levers={"sales_call": 20.0}).lever("sales_call")
        1.2
        """
        return 1.0 + self.levers.get(action, 0.0) / 100.0


@dataclass(frozen=True)
class Plan:
    """What a day's worklist may cost, in base currency; None: no limit."""

    budget: float | None = None


def read_ranking(table: Table, actions: tuple[str, ...]) -> Ranking:
    """Read ``[ranking]``; levers belong to actions."""
    ranking = Ranking(
        policy=table.take("policy", values.choice("greedy", "epsilon", "thompson", "points"), Ranking.policy),
        epsilon=table.take("epsilon", values.number(at_least=0, at_most=1), Ranking.epsilon),
        holdout=table.take("holdout", values.number(at_least=0, at_most=1), Ranking.holdout),
        sticky_us=table.take("sticky", values.duration, Ranking.sticky_us),
        levers=Frozen(table.child("levers").entries(values.among("action", actions), values.number(at_least=-100))),
    )
    table.close()
    return ranking


def read_plan(table: Table) -> Plan:
    """Read ``[plan]``."""
    plan = Plan(table.take("budget", values.number(at_least=0), None))
    table.close()
    return plan
