"""The catalogue of actions as decisions use it; action 0 is "do nothing"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from features.amounts import LARGEST
from models.points_table import Threshold
from nba.approach_rule import OUTBOUND, ApproachRule
from nba.settings import Settings
from nba.settings.actions import DO_NOTHING, INFOCENTER, Action, CostByTrait, Start, Valid
from nba.settings.conditions import Conditions, Needs, Segment
from nba.settings.goals import Goal
from nba.settings.occasions import Occasion
from nba.settings.people import LONGEST_VETO_US
from nba.worth import CHANCE, CHANCE_WITHOUT, CONTEXT, COST, ERROR, GOAL, KEEPS, LEVER, MONEY_DIGITS, VALUE

if TYPE_CHECKING:
    from features.compiled import F64
    from models.estimate import Candidate

__all__ = ["DO_NOTHING", "Catalogue", "about_same", "cost_of", "start_of"]

NO_EVIDENCE = "none"
_USUAL_START = Start()

Numbered = tuple[tuple[int, Action], ...]
"""Actions with their columns."""


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
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """The conditions that each action asks for, by name, in the order of ``Needs``; stages are for a later gate."""
        nothing = Needs()
        names = [each.name for each in fields(Needs) if each.name != "stage"]
        asked = {a.name: tuple(n for n in names if getattr(a.needs, n) != getattr(nothing, n)) for a in self.actions}
        return {name: found for name, found in asked.items() if found}

    @cached_property
    def segments(self) -> tuple[tuple[Segment, tuple[str, ...]], ...]:
        """Every segment with the conditions that it asks for, by name, in the order of ``Conditions``."""
        nothing = Conditions()
        names = [each.name for each in fields(Conditions)]
        return tuple(
            (segment, tuple(n for n in names if getattr(segment, n) != getattr(nothing, n)))
            for segment in self.settings.segments.values()
        )

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
    def mandatory(self) -> frozenset[int]:
        """Columns of the actions that are done without ranking."""
        return frozenset(i for i, action in enumerate(self.actions, start=1) if action.class_ == "mandatory")

    @cached_property
    def numbered(self) -> Numbered:
        """Every action with its column."""
        return tuple(enumerate(self.actions, start=1))

    @cached_property
    def conditional(self) -> Numbered:
        """The actions that wait for an occasion, need something or do not go out by themselves."""
        return self._those(lambda a: a.when is not None or a.name in self.needs or OUTBOUND not in a.placements)

    @cached_property
    def seasonal(self) -> Numbered:
        """The actions that have a season."""
        return self._those(lambda action: action.valid != Valid())

    @cached_property
    def staged(self) -> Numbered:
        """The actions that do not suit every stage."""
        return self._those(lambda action: bool(action.stages or action.needs.stage))

    @cached_property
    def unless_owned(self) -> Numbered:
        """The actions that are not for those who have their product."""
        return self._those(lambda action: action.unless_owned is not None)

    @cached_property
    def limited(self) -> Numbered:
        """The actions that have room for so many only."""
        return self._those(lambda action: action.capacity is not None)

    def _those(self, holds: Callable[[Action], bool]) -> Numbered:
        return tuple(each for each in self.numbered if holds(each[1]))

    @cached_property
    def worth(self) -> F64:
        """The table of ``nba.worth`` with what is the same for every contact; to be copied.

        Believed is, without a model, that an action makes all of what its goal's propensity is.
        """
        table = np.zeros((GOAL + 1, len(self)))
        for column, action in self.numbered:
            start = start_of(action)
            keeps = self.keeps[column - 1]
            table[CHANCE_WITHOUT if keeps else CHANCE, column] = start.propensity
            table[ERROR, column] = start.error(start.propensity)
            table[LEVER, column], table[CONTEXT, column], table[KEEPS, column] = self.levers[column - 1], 1.0, keeps
            if action.value is None:
                table[GOAL, column] = 1 + self.valuing_goals.index(action.goal)
            else:
                table[VALUE, column] = round(action.value, MONEY_DIGITS)
            if not isinstance(action.cost, CostByTrait):
                table[COST, column] = round(action.cost, MONEY_DIGITS)
        return table

    @cached_property
    def start_evidence(self) -> F64:
        """How many decisions the belief at the start weighs, of each column; "do nothing" has none."""
        return np.array([0.0, *(start_of(action).evidence for action in self.actions)])

    @cached_property
    def rungs(self) -> dict[tuple[str, bool], Any]:
        """What answers under these settings, as far as ``nba.choice`` was asked for it."""
        return {}

    @cached_property
    def unproven(self) -> tuple[str, ...]:
        """The evidence of every action without a model."""
        return (NO_EVIDENCE,) * len(self.actions)

    @cached_property
    def valuing_goals(self) -> tuple[str | None, ...]:
        """The goals of actions that are worth what their goal's success is."""
        return tuple(dict.fromkeys(action.goal for action in self.actions if action.value is None))

    @cached_property
    def goal_values(self) -> tuple[float | Goal, ...]:
        """What a success of each of these goals is worth; the goal itself where its successes tell."""
        goals = [self.settings.goals.get(name or "") for name in self.valuing_goals]
        return tuple(1.0 if g is None else g if g.value == "sum" else float(g.value) for g in goals)

    @cached_property
    def cost_by_trait(self) -> Numbered:
        """The actions whose cost a trait carries."""
        return self._those(lambda action: isinstance(action.cost, CostByTrait))

    @cached_property
    def churn_goal(self) -> str | None:
        """The goal that tells who is about to leave; None without one."""
        return self.settings.churn_goal

    @cached_property
    def called_by_events(self) -> tuple[tuple[str, ...], tuple[Occasion, ...]]:
        """The actions that events call for, and when each does."""
        called = [(a.name, a.when) for a in self.actions if a.when is not None and a.when.trigger == "event"]
        return tuple(name for name, _ in called), tuple(when for _, when in called)

    @cached_property
    def on_channel(self) -> Mapping[str, Numbered]:
        """The actions of each channel."""
        return {name: tuple(each for each in self.numbered if each[1].channel == name) for name in self.channels}

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """Every channel that an action goes out on."""
        return tuple(dict.fromkeys(action.channel for action in self.actions))

    @cached_property
    def memory_us(self) -> int:
        """How far back decisions can matter.

        The longest of the caps, the time a choice is sticky, what partners were offered, and the time in which an
        action goes out for its occasion once.
        """
        caps = [cap.per_us for cap in self.settings.contact_policy.caps]
        occasions = [action.when.memory_us for action in self.actions if action.when is not None]
        partners = LONGEST_VETO_US if self.by_partners else 0
        return max([self.settings.ranking.sticky_us, partners, *caps, *occasions])

    def memory_of(self, placement: str) -> int:
        """How far back decisions can matter to a request: with things to read, as long as these rest."""
        pause = self.settings.content.pause_us if placement == INFOCENTER else 0
        return max(self.memory_us, pause)

    @cached_property
    def channel_of(self) -> Mapping[str, str]:
        """Channel of each action."""
        return {action.name: action.channel for action in self.actions}

    @cached_property
    def by_partners(self) -> frozenset[str]:
        """Actions that a partner carries out where there is one."""
        return frozenset(action.name for action in self.actions if action.executor == "partner")

    @cached_property
    def approach_rule(self) -> ApproachRule:
        """What counts in the caps."""
        return ApproachRule(self.settings.actions)

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every action as a model is asked about it, in the catalogue's order without "do nothing"."""
        from models import estimate
        from models.estimate import Candidate

        return tuple(
            Candidate(
                action=a.name,
                channel=a.channel,
                goal=a.goal,
                topics=a.topics or None,
                start=None if a.start is None else estimate.Start(a.start.propensity, a.start.evidence),
            )
            for a in self.actions
        )

    def action(self, column: int) -> Action:
        """Return the settings of the action in a column from 1 on."""
        return self.actions[column - 1]


def start_of(action: Action) -> Start:
    """Return the belief in an action before there are data."""
    return action.start or _USUAL_START


def cost_of(action: Action, traits: Mapping[str, object]) -> float:
    """Say what an action costs for a contact; a trait that is no amount of at least 0 counts as missing."""
    if not isinstance(action.cost, CostByTrait):
        return action.cost
    found = traits.get(action.cost.trait)
    if isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found <= LARGEST:
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
