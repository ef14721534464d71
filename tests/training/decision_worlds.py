"""Worlds of logged decisions whose truth is known, small enough for hundreds of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet, choose
from features.rows.row_types import DecisionRow, TouchpointRow
from features.times import DAY, parse_time
from features.touchpoints.touchpoints import Touchpoints
from features.traits import Traits
from nba.settings import Settings, parse_settings
from training.dataset import data_end
from training.past import Past
from training.policy.learning import Lesson
from training.policy.values import Believed

BEGIN = parse_time("2026-01-01")
NOW = BEGIN + 365 * DAY
END_AT = "2027-01-01"
GOALS = {"conversion": {"kinds": ["order"], "horizon": "14d", "value": 1}}
ACTIONS = {"mail": {"channel": "email"}, "call": {"channel": "phone"}}
NAMES = ("do_nothing", "mail", "call")


def settings_of(goals: Mapping[str, Any] = GOALS, actions: Mapping[str, Any] = ACTIONS, **more: Any) -> Settings:
    return parse_settings({"goals": goals, "actions": actions, **more}, folder=Path("/nowhere"), environ={})


def touch(who: str, at: int, kind: str = "visit", name: str | None = None, **columns: Any) -> TouchpointRow:
    return TouchpointRow(who, at, name or f"{who}:{at}:{kind}", kind, **columns)


def past_of(
    touchpoints: Sequence[TouchpointRow],
    decisions: Sequence[DecisionRow],
    settings: Settings,
    traits: Sequence[tuple[str, int, Mapping[str, Any]]] = (),
    *,
    now: int = NOW,
) -> Past:
    columns = Touchpoints.from_rows([row[:14] for row in touchpoints], settings.touchpoints)
    return Past(columns, Traits(traits), tuple(decisions), now, data_end(columns, now), 0)


def features_of(past: Past, settings: Settings) -> FeatureSet:
    from dataclasses import replace

    chosen = choose(past.recorded, rules=settings.touchpoints, before=past.end)
    return replace(chosen, traits=past.recorded_traits.choose(past.end))


@dataclass(frozen=True)
class World:
    past: Past
    settings: Settings
    features: FeatureSet
    chance: NDArray[np.float64]
    """Of an order under each action, shape (n, 3), in the order of the decisions."""


def world(
    n: int = 1200,
    *,
    seed: int = 0,
    effect: float = 0.25,
    average: float = 0.0,
    known: bool = True,
    confounded: bool = False,
    one_moment: bool = False,
    settings: Settings | None = None,
) -> World:
    """One decision for each contact; who has trait x likes mail by ``effect``, who has not likes call, or hates it.

    ``average`` is what mail brings everybody. ``confounded``: who orders anyway is mailed more often.
    """
    settings = settings or settings_of()
    made = drawn(n, seed, effect, average, confounded, one_moment)
    touchpoints, decisions, traits = told(made, known)
    past = past_of(touchpoints, decisions, settings, traits)
    order = np.lexsort((np.arange(n), made.moment))
    return World(past, settings, features_of(past, settings), made.chance[order])


@dataclass(frozen=True)
class Drawn:
    """Who is what, what was done and what came of it, one row a contact."""

    x: NDArray[np.bool_]
    keen: NDArray[np.bool_]
    moment: NDArray[np.int64]
    action: NDArray[np.int64]
    probability: NDArray[np.float64]
    ordered: NDArray[np.bool_]
    chance: NDArray[np.float64]


def drawn(n: int, seed: int, effect: float, average: float, confounded: bool, one_moment: bool) -> Drawn:
    rng = np.random.default_rng([seed, 77])
    x, keen = rng.random(n) < 0.5, rng.random(n) < 0.5
    likes = np.where(x, 1.0, -1.0) * effect
    base = 0.3 + 0.1 * keen
    chance = np.clip(np.column_stack([base, base + likes + average, base - likes]), 0.02, 0.98)
    logged = np.tile([1 / 3, 1 / 3, 1 / 3], (n, 1))
    if confounded:
        logged = np.where(keen[:, None], [0.2, 0.6, 0.2], [0.4, 0.2, 0.4])
    action = (logged.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    begin = BEGIN + 30 * DAY
    moment = np.full(n, begin) if one_moment else begin + rng.integers(0, 90 * DAY, n)
    rows = np.arange(n)
    return Drawn(x, keen, moment, action, logged[rows, action], rng.random(n) < chance[rows, action], chance)


Told = tuple[list[TouchpointRow], list[DecisionRow], list[tuple[str, int, Mapping[str, Any]]]]


def told(made: Drawn, known: bool) -> Told:
    """Touchpoints, decisions and traits of what was drawn."""
    names = [f"c{i:05}" for i in range(len(made.moment))]
    at: list[int] = made.moment.tolist()
    touchpoints = [touch(who, moment - 5 * DAY) for who, moment in zip(names, at, strict=True)]
    touchpoints += [touch(names[i], at[i] + DAY, "order", value=10.0) for i in np.flatnonzero(made.ordered).tolist()]
    touchpoints.append(touch("end", BEGIN + 200 * DAY))
    each = zip(names, at, made.action.tolist(), made.probability.tolist(), strict=True)
    decisions = [
        DecisionRow(f"d{who}", who, moment, NAMES[action], chance if known else None)
        for who, moment, action, chance in each
    ]
    traits: list[tuple[str, int, Mapping[str, Any]]] = [
        (who, BEGIN, {"x": bool(x), "keen": bool(keen)}) for who, x, keen in zip(names, made.x, made.keen, strict=True)
    ]
    return touchpoints, decisions, traits


def rows_of_world(n: int, seed: int = 0) -> Told:
    """The rows of such a world, as a store takes them."""
    return told(drawn(n, seed, 0.25, 0.0, False, False), True)


def learn_by_traits(lesson: Lesson, goal: str, which: NDArray[np.bool_]) -> Believed:
    """A quick learner for worlds of one trait that matters: shares of the label by trait and action, smoothed."""
    at = [lesson.features.columns.index("trait_x"), lesson.features.columns.index("trait_keen")]
    rows, cell = lesson.rows, lesson.X[:, at] @ np.array([2.0, 1.0])
    k = len(rows.actions)
    label = rows.outcomes[goal].label
    share = np.full((4, k), np.nan)
    for c in range(4):
        for a in range(k):
            here = which & (cell == c) & (rows.action == a)
            if here.any():
                share[c, a] = (label[here].sum() + 0.3 * 5) / (here.sum() + 5)

    def believed(X: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        found = share[(X[:, at] @ np.array([2.0, 1.0])).astype(np.int64)]
        return found[:, 0], found - found[:, :1]

    return believed
