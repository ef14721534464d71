"""The catalogue of actions as decisions use it; action 0 is "do nothing"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING

from models.points_table import Threshold
from nba.settings import Settings
from nba.settings.actions import DO_NOTHING, Action, CostByTrait
from nba.settings.conditions import Needs

if TYPE_CHECKING:
    from models.estimate import Candidate

__all__ = ["DO_NOTHING", "Catalogue", "about_same", "cost_of"]


@dataclass(frozen=True)
class Catalogue:
    """Settings made ready for deciding, once; made by ``Catalogue.of``.

    ``names[i]`` is the action of column ``i`` wherever actions are columns, ``actions[i - 1]`` its settings;
    column 0 is "do nothing", which has none.
    """

    settings: Settings
    names: tuple[str, ...]
    actions: tuple[Action, ...]
    column: Mapping[str, int]
    transactional: frozenset[str]
    """Actions that do not count in the caps."""
    thresholds: tuple[tuple[Threshold, tuple[int, ...]], ...]
    """The points table's thresholds with the columns of their actions."""
    usual_goal: str | None
    """What ``propensity_from`` asks for where the action's own goal is an absence."""

    @classmethod
    def of(cls, settings: Settings) -> Catalogue:
        """Work out everything that all decisions under these settings share."""
        names = (DO_NOTHING, *settings.actions)
        column = {name: i for i, name in enumerate(names)}
        wanted = [goal.name for goal in settings.goals.values() if not goal.is_absence]
        return cls(
            settings=settings,
            names=names,
            actions=tuple(settings.actions.values()),
            column=column,
            transactional=frozenset(a.name for a in settings.actions.values() if a.class_ == "transactional"),
            thresholds=tuple((t, tuple(column[a] for a in t.actions)) for t in settings.points.thresholds),
            usual_goal="conversion" if "conversion" in wanted else next(iter(wanted), None),
        )

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def needs(self) -> tuple[tuple[str, ...], ...]:
        """The conditions that each action asks for, by name, in the order of ``Needs``."""
        nothing = Needs()
        names = [each.name for each in fields(Needs)]
        return tuple(tuple(n for n in names if getattr(a.needs, n) != getattr(nothing, n)) for a in self.actions)

    @cached_property
    def keeps(self) -> tuple[bool, ...]:
        """Whether each action works for a goal that something does not happen."""
        absences = {goal.name for goal in self.settings.goals.values() if goal.is_absence}
        return tuple(action.goal in absences for action in self.actions)

    @cached_property
    def levers(self) -> tuple[float, ...]:
        """Business weight of each action, as a factor with the digits that are printed."""
        return tuple(round(self.settings.ranking.lever(a.name), 6) for a in self.actions)

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """Every channel that an action goes out on."""
        return tuple(dict.fromkeys(action.channel for action in self.actions))

    @cached_property
    def memory_us(self) -> int:
        """How far back decisions can matter: the longest cap, or the time a choice is sticky."""
        caps = [cap.per_us for cap in self.settings.contact_policy.caps]
        return max([self.settings.ranking.sticky_us, *caps])

    @cached_property
    def channel_of(self) -> Mapping[str, str]:
        """Channel of each action."""
        return {action.name: action.channel for action in self.actions}

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every action as a model is asked about it, in the catalogue's order without "do nothing"."""
        from models.estimate import Candidate, Start

        return tuple(
            Candidate(
                action=a.name,
                channel=a.channel,
                goal=a.goal,
                topics=a.topics or None,
                start=None if a.start is None else Start(a.start.propensity, a.start.evidence),
            )
            for a in self.actions
        )

    def action(self, column: int) -> Action:
        """Return the settings of the action in a column from 1 on."""
        return self.actions[column - 1]


def cost_of(action: Action, traits: Mapping[str, object]) -> float:
    """Say what an action costs for a contact; a trait that is no number of at least 0 counts as missing."""
    if not isinstance(action.cost, CostByTrait):
        return action.cost
    found = traits.get(action.cost.trait)
    if isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found < float("inf"):
        return float(found)
    return action.cost.otherwise


def about_same(topic: str, topics: Iterable[str]) -> bool:
    """Whether a topic is one of ``topics``, a part of one or has one as its part; parts follow a slash.

    Examples
    --------
    >>> about_same("pumps/industrial", ["pumps"]), about_same("pumps", ["pumps-used"])
    (True, False)
    """
    for other in topics:
        if topic == other or topic.startswith(other + "/") or other.startswith(topic + "/"):
            return True
    return False
