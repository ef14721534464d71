"""What a forecast is made of: everybody at a moment with chance, worth and groups, and what came of it once known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.catalogue import PER_TOPIC
from features.feature_set import REST
from features.spans import spans, tally
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules
from nba.settings import Settings
from nba.settings.goals import Goal
from training.baselines import abc_classes
from training.dataset import Rows, label_rows, of_kinds, rows_at
from training.forecast.kept import are_few, kept, veiled
from training.past import Past
from training.predictor import Predictor

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

YEAR = 365 * DAY
CLASSES = ("C", "B", "A")
NOBODY = "(none)"
_WORTH_SNAPSHOTS = 4
_WORTH_WEIGHT = 10.0
"""Successes of a class that weigh as much as those of all classes together."""


@dataclass(frozen=True)
class Outlook:
    """Everybody at one moment. Shape (n,) each.

    Attributes
    ----------
    chance
        Of what is counted, within the forecast's horizon.
    worth, worth_spread
        Mean and standard deviation of the margin of a contact that brings any.
    earning
        Chance of bringing any: ``chance``, or for a goal of absence the opposite.
    naive
        Margin in the same period a year before, or where records are too young in the period before.
    last_year
        Revenue in the year before.
    groups
        By dimension: the code of each contact's group, and the groups' names.
    happened, earned
        What came, once known.
    new_happened, new_earned
        Of contacts that nobody knew at the moment, in sum.
    """

    as_of: int
    chance: Floats
    earning: Floats
    worth: Floats
    worth_spread: Floats
    naive: Floats
    last_year: Floats
    groups: dict[str, tuple[Codes, tuple[str, ...]]] = field(default_factory=dict)
    happened: Floats | None = None
    earned: Floats | None = None
    new_happened: float = 0.0
    new_earned: float = 0.0

    def __len__(self) -> int:
        return len(self.chance)


@dataclass(frozen=True)
class Watcher:
    """One goal over one horizon (microseconds), looked at from any moment.

    ``by`` are dimensions besides the ABC class: topic, owner, partner.
    """

    past: Past
    settings: Settings
    goal: Goal
    horizon: int
    by: Sequence[str] = ()

    @property
    def longer(self) -> Goal:
        """The goal over the forecast's horizon."""
        return replace(self.goal, horizon=self.horizon)

    @property
    def times(self) -> float:
        """How many of the goal's own horizons the forecast's is."""
        own = self.goal.horizon
        return self.horizon / own if isinstance(own, int) else 1.0

    def look(self, predictor: Predictor, as_of: int, *, known: bool) -> Outlook:
        """Foresee everybody at ``as_of``; with what came of it where that is ``known``.

        Without the contacts that partners keep to themselves, where they are too few to be in a sum.
        """
        past, goal = self.past, self.goal
        rows = rows_at(past.touchpoints, goal, as_of, past.versions)
        hidden = self._kept[rows.contact]
        if are_few(hidden):
            rows, hidden = rows.only(~hidden), hidden[~hidden]
        topics = (*predictor.features.topics, REST) if "topic" in self.by else ()
        p, interest = predictor.predict(rows, tuple(PER_TOPIC[0].named(topic).name for topic in topics))
        # A steady rate within the goal's own horizon gives the chance within another one.
        chance = p**self.times if goal.is_absence else 1.0 - (1.0 - p) ** self.times
        revenue = self._revenue(rows.contact, rows.as_of)
        classes = abc_classes(revenue, revenue).astype(np.int64) - 1
        worth, spread = self._worth(as_of, classes)
        earning = 1.0 - p if goal.is_absence else p
        groups: dict[str, tuple[Codes, tuple[str, ...]]] = {"abc": (classes, CLASSES)}
        if topics:
            groups["topic"] = _strongest(interest, topics)
        for trait in ("owner", "partner"):
            if trait in self.by:
                groups[trait] = self._by_trait(trait, rows)
        groups = {name: veiled(group, hidden) for name, group in groups.items()}
        seen = Outlook(as_of, chance, earning, worth, spread, self.naive(rows), revenue, groups)
        return self._came(seen, rows) if known else seen

    def came(self, as_of: int) -> tuple[float, float]:
        """Say what came of everybody who was known at ``as_of``: how many, and their margin."""
        past = self.past
        rows = rows_at(past.touchpoints, self.longer, as_of, past.versions)
        found = label_rows(past.touchpoints, self._rules, self.longer, rows, past.versions)
        return float(found.label.sum()), float(self._earned(found).sum())

    def naive(self, rows: Rows) -> Floats:
        """Margin of each contact in the same period a year ago, or in the one before where records are younger."""
        back = YEAR if self._reaches(rows, YEAR) else self.horizon
        before = replace(rows, as_of=rows.as_of - back, until=rows.as_of - back + self.horizon)
        return self._earned(label_rows(self.past.touchpoints, self._rules, self.longer, before, self.past.versions))

    def naive_is_last_year(self, as_of: int) -> bool:
        """Whether the records reach back a year from a moment."""
        return as_of - YEAR >= int(self.past.recorded.occurred_at.min())

    @cached_property
    def _kept(self) -> NDArray[np.bool_]:
        return kept(self.past, self.settings)

    @property
    def _rules(self) -> TouchpointRules:
        return self.settings.touchpoints

    def _reaches(self, rows: Rows, back: int) -> bool:
        return bool(len(rows)) and int(rows.as_of[0]) - back >= int(self.past.recorded.occurred_at.min())

    def _earned(self, rows: Rows) -> Floats:
        """Worth of each labelled row: its margin, or the number of ``nba.toml`` for a success."""
        successes = ~rows.label if self.goal.is_absence else rows.label
        worth = rows.value if self.goal.value == "sum" else np.full(len(rows), float(self.goal.value))
        earned: Floats = np.where(successes, worth, 0.0)
        return earned

    def _revenue(self, contact: Codes, as_of: Codes) -> Floats:
        touchpoints = self.past.touchpoints
        year = spans(touchpoints.start, touchpoints.occurred_at, contact, as_of - YEAR, as_of)
        money = of_kinds(touchpoints, self._rules.money) & ~touchpoints.outbound
        revenue: Floats = tally(year, money, weight=np.nan_to_num(touchpoints.value))[1]
        return revenue

    def _worth(self, as_of: int, classes: Codes) -> tuple[Floats, Floats]:
        """Mean and spread of what a success brought before ``as_of``, by the class each contact had then."""
        past, own = self.past, self.goal.horizon
        if self.goal.value != "sum" or not isinstance(own, int):
            worth = np.full(len(classes), 0.0 if self.goal.value == "sum" else float(self.goal.value))
            return worth, np.zeros(len(classes))
        first = int(past.recorded.occurred_at.min())
        brought, whose = [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
        for back in range(1, _WORTH_SNAPSHOTS + 1):
            moment = as_of - back * own
            if moment <= first:
                break
            rows = label_rows(
                past.touchpoints, self._rules, self.goal, rows_at(past.touchpoints, self.goal, moment, past.versions),
                past.versions,
            )  # fmt: skip
            revenue = self._revenue(rows.contact, rows.as_of)
            earned = ~rows.label if self.goal.is_absence else rows.label
            brought.append(rows.value[earned])
            whose.append(abc_classes(revenue, revenue).astype(np.int64)[earned] - 1)
        value, code = np.concatenate(brought), np.concatenate(whose)
        mean = float(value.mean()) if len(value) else 0.0
        count = np.bincount(code, minlength=3)
        means = (np.bincount(code, weights=value, minlength=3) + _WORTH_WEIGHT * mean) / (count + _WORTH_WEIGHT)
        squares = np.bincount(code, weights=(value - means[code]) ** 2, minlength=3)
        spread = np.sqrt((squares + _WORTH_WEIGHT * (float(value.var()) if len(value) else 0.0)) / (count + 10.0))
        return np.asarray(means[classes], dtype=np.float64), np.asarray(spread[classes], dtype=np.float64)

    def _came(self, seen: Outlook, rows: Rows) -> Outlook:
        past, goal = self.past, self.longer
        later = replace(rows, until=rows.as_of + self.horizon)
        found = label_rows(past.touchpoints, self._rules, goal, later, past.versions)
        new_happened = new_earned = 0.0
        if not goal.is_absence and (goal.among is None or not goal.among.seen):
            new = label_rows(past.touchpoints, self._rules, goal, self._newcomers(seen.as_of), past.versions)
            new_happened, new_earned = float(new.label.sum()), float(self._earned(new).sum())
        return replace(
            seen,
            happened=found.label.astype(np.float64),
            earned=self._earned(found),
            new_happened=new_happened,
            new_earned=new_earned,
        )

    def _newcomers(self, as_of: int) -> Rows:
        """Everybody whose first touchpoint lies in the horizon."""
        past, until = self.past, as_of + self.horizon
        rows = rows_at(past.touchpoints, replace(self.goal, among=None), until, past.versions)
        first = past.touchpoints.occurred_at[past.touchpoints.start[rows.contact]]
        rows = rows.only(first >= as_of)
        return replace(rows, as_of=rows.as_of - self.horizon, until=rows.as_of)

    def _by_trait(self, trait: str, rows: Rows) -> tuple[Codes, tuple[str, ...]]:
        names = self.past.touchpoints.contacts
        as_of = int(rows.as_of[0]) if len(rows) else 0
        told = [str(self.past.traits.known(names[c], as_of).get(trait) or NOBODY) for c in rows.contact.tolist()]
        groups = sorted(set(told))
        code = {name: i for i, name in enumerate(groups)}
        return np.array([code[name] for name in told], dtype=np.int64), tuple(groups)


def _strongest(interest: NDArray[np.float32], topics: Sequence[str]) -> tuple[Codes, tuple[str, ...]]:
    """Each contact's strongest interest; of a topic and one below it the finer, where they are equal."""
    order = sorted(range(len(topics)), key=lambda i: (-topics[i].count("/"), i))
    strength = np.nan_to_num(interest[:, order])
    best = strength.argmax(axis=1) if len(order) else np.zeros(len(interest), dtype=np.int64)
    none = len(order)
    code = np.where(strength.max(axis=1, initial=0.0) > 0, best, none).astype(np.int64)
    return code, (*(topics[i] for i in order), NOBODY)
