"""The simulated world: what the learned policy gets of the oracle's gain, and whether intervals cover the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.quality_table import Found
from features.feature_set import choose
from features.matrix import History
from features.touchpoints.touchpoints import TouchpointRules
from models.effect.effect import Effects
from training.world.world import JourneyWorld
from training.world.world import world as journey_world

Matrix = NDArray[Any]

CONTACTS, DAYS, SMALL_WORLDS = 10_000, 230, 200
NOTE = "decisions logged by a known policy; each is answered by models that have not seen its contact"


def world(data: Path, folder: Path) -> list[Found]:
    """Figures of one large world and of many small ones."""
    return [_share(CONTACTS), _covered(SMALL_WORLDS)]


def _share(contacts: int) -> Found:
    """Part of the oracle's gain over uniform that the learned policy gets, by true chances."""
    made = journey_world(contacts, days=DAYS, seed=1)
    rows = np.flatnonzero(made.truth.matured)
    effects = _learn(made, rows, _matrix(made, rows), 0)
    if effects.out_of_fold is None:
        raise ValueError("a fit keeps what it said of its own rows")
    chosen = np.column_stack([np.zeros(len(rows)), effects.out_of_fold.effect]).argmax(axis=1)
    chance = made.truth.chance[rows]
    uniform, oracle = chance.mean(), chance.max(axis=1).mean()
    share = (chance[np.arange(len(rows)), chosen].mean() - uniform) / (oracle - uniform)
    return Found(
        f"Simulated, {len(rows):,} decisions, part of the oracle's gain over uniform",
        float(share),
        None,
        f"best constant {(chance.mean(axis=0).max() - uniform) / (oracle - uniform):.2f}",
        0.9,
        0.95,
        NOTE,
    )


def _covered(worlds: int) -> Found:
    """Part of the intervals of average effects that hold the true one."""
    hits = []
    for seed in range(worlds):
        made = journey_world(500, days=146, seed=1000 + seed)
        rows = np.flatnonzero(made.truth.matured)
        effects = _learn(made, rows, _few_columns(made, rows, seed), seed)
        true = made.truth.effect[rows].mean(axis=0)
        found = [each["interval"] for each in effects.average.values()]
        hits += [low <= mean <= high for (low, high), mean in zip(found, true, strict=True)]
    error = 1.96 * float(np.std(hits)) / float(np.sqrt(worlds))
    mean = float(np.mean(hits))
    note = "average effects of four actions; the floor is 0.90 to 0.99"
    return Found(
        f"Simulated, {worlds} small worlds, intervals that hold the true effect", mean, (mean - error, mean + error),
        "", 0.9, 0.95, note,
    )  # fmt: skip


def _matrix(made: JourneyWorld, rows: NDArray[np.int64]) -> tuple[Matrix, tuple[str, ...]]:
    touchpoints, truth = made.as_touchpoints(), made.truth
    before = int(np.quantile(truth.decided_at, 0.7))
    features = choose(touchpoints, rules=TouchpointRules(), before=before)
    contact, at = (np.asarray(a[rows], dtype=np.int64) for a in (truth.contact, truth.decided_at))
    return History(touchpoints, features).matrix(contact, at), features.columns


def _few_columns(made: JourneyWorld, rows: NDArray[np.int64], seed: int) -> tuple[Matrix, tuple[str, ...]]:
    """Stage and interests with noise: enough for averages, and quick."""
    rng, truth = np.random.default_rng(seed), made.truth
    stage = truth.stage[rows] + rng.normal(0, 0.7, len(rows))
    match = truth.match[rows] + rng.normal(0, 0.2, truth.match[rows].shape)
    X = np.column_stack([stage, match])
    return X, tuple(f"seen_{i}" for i in range(X.shape[1]))


def _learn(made: JourneyWorld, rows: NDArray[np.int64], seen: tuple[Matrix, tuple[str, ...]], seed: int) -> Effects:
    X, columns = seen
    truth = made.truth
    action = truth.action[rows]
    return Effects.fit(
        X, action, truth.ordered[rows], actions=made.actions, columns=columns, chances=truth.logged[rows],
        probability=truth.logged[rows, action], cluster=truth.contact[rows], seed=seed,
    )  # fmt: skip
