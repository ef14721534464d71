"""Hillstrom's e-mail experiment: effects in order, and the policy that would be served against always men's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.quality_table import Found
from models.effect.effect import Effects
from models.qini import qini
from nba.valuation import Gain, Log, gain_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ARMS = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
NONE, MENS, WOMENS = range(3)
KNOWN_BEFORE = ("recency", "history", "history_segment", "mens", "womens", "zip_code", "newbie", "channel")
"""What was known before the mail; visit, conversion and spend came after it and are no features of each other."""
CODED = ("history_segment", "zip_code", "channel")
CATEGORIES = ("zip_code", "channel")
SPLITS, DRAWS = 10, 200
QINI_NOTE = (
    "Qini: area between the Qini curve (ties on a line) and chance, as a part of that of the perfect order (visits "
    "after women's mail first, visits without mail last); contacts with women's mail or none, effects by models that "
    "have not seen the contact; the mean of three cuts into folds"
)


@dataclass(frozen=True)
class Experiment:
    """Customers as they were known before the mail, the arm each was in, and whether it visited."""

    X: NDArray[np.float32]
    arm: Ints
    visit: Floats

    def only(self, rows: Ints) -> Experiment:
        """Take some customers."""
        return Experiment(self.X[rows], self.arm[rows], self.visit[rows])

    def learn(self, seed: int) -> Effects:
        """Learn what the mails change, each drawn with probability 1/3."""
        third = np.full((len(self.arm), 3), 1 / 3)
        return Effects.fit(
            self.X, self.arm, self.visit, actions=ARMS, columns=KNOWN_BEFORE, categorical=CATEGORIES,
            probability=third[:, 0], chances=third, seed=seed,
        )  # fmt: skip

    def log(self, effects: Effects) -> Log:
        """Judge policies on these customers by effects that have not seen them."""
        found = effects.predict(self.X)
        expected = np.column_stack([found.without, found.without[:, None] + found.effect])
        n = len(self.arm)
        return Log(ARMS, self.arm, self.visit, np.full(n, 1 / 3), expected, np.arange(n))


def hillstrom(data: Path, folder: Path) -> list[Found]:
    """Figures of the three arms."""
    whole = read(data / "hillstrom.csv.gz")
    fits = [whole.learn(seed) for seed in range(3)]
    return [*_order(whole, fits), *_served(whole)]


def read(path: Path) -> Experiment:
    """Read the experiment; customers have no id, and equal rows are different ones."""
    rows: Any = pd.read_csv(path)
    for name in CODED:
        rows[name] = rows[name].astype("category").cat.codes
    arm = rows["segment"].map({name: i for i, name in enumerate(ARMS)}).to_numpy(np.int64)
    return Experiment(rows[list(KNOWN_BEFORE)].to_numpy(np.float32), arm, rows["visit"].to_numpy(np.float64))


def _order(whole: Experiment, fits: list[Effects]) -> list[Found]:
    """Qini of women's mail against none."""
    pair = whole.arm != MENS
    treated, visit = whole.arm[pair] == WOMENS, whole.visit[pair]
    scores = [_unseen(fit)[pair, WOMENS - 1] for fit in fits]
    found = [qini(score, treated, visit) or 0.0 for score in scores]
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS):
        some = rng.integers(0, len(visit), len(visit))
        drawn.append(qini(scores[0][some], treated[some], visit[some]) or 0.0)
    low, high = np.quantile(drawn, [0.025, 0.975]) - np.mean(drawn) + np.mean(found)
    bought = qini(whole.X[pair, KNOWN_BEFORE.index("womens")].astype(np.float64), treated, visit) or 0.0
    return [
        Found(
            "Hillstrom, women's against none, Qini",
            float(np.mean(found)),
            (float(low), float(high)),
            f"bought women's {bought:.3f}",
            0.054,
            0.063,
            QINI_NOTE,
        )
    ]


def _unseen(fit: Effects) -> Floats:
    if fit.out_of_fold is None:
        raise ValueError("a fit keeps what it said of its own rows")
    return fit.out_of_fold.effect


def _served(whole: Experiment) -> list[Found]:
    """Visit rate of the policy that is served, less that of always men's, on halves that taught nothing."""
    found, claimed = [], 0
    for split in range(SPLITS):
        order = np.random.default_rng(split).permutation(len(whole.arm))
        half, quarter = len(order) // 2, len(order) // 4
        teaching, judged = whole.only(order[:half]), whole.only(order[half:])
        column, gain = _gate(whole.only(order[:quarter]), whole.only(order[quarter:half]), split)
        claimed += int(gain.is_shown)
        log = judged.log(teaching.learn(split))
        target = _constant(len(judged.arm), column) if not gain.is_shown else _learned(log)
        found.append(gain_of(log, target, _constant(len(judged.arm), MENS)).value or 0.0)
    note = f"a personalised gain was claimed in {claimed} of {SPLITS} splits"
    return [
        Found("Hillstrom, served against always men's, mean", float(np.mean(found)), None, "", -0.0005, 0.0005, note),
        Found("Hillstrom, served against always men's, worst", min(found), None, "", -0.0025, -0.0005, note),
    ]


def _gate(teaching: Experiment, held_out: Experiment, seed: int) -> tuple[int, Gain]:
    """Return the best constant arm among those that taught, and the gain over it that the held-out ones show."""
    rates = [teaching.visit[teaching.arm == arm].mean() for arm in range(len(ARMS))]
    best = int(np.argmax(rates))
    log = held_out.log(teaching.learn(seed))
    return best, gain_of(log, _learned(log), _constant(len(held_out.arm), best))


def _learned(log: Log) -> Floats:
    return np.asarray(np.eye(len(ARMS))[log.expected.argmax(axis=1)])


def _constant(n: int, arm: int) -> Floats:
    return np.tile(np.eye(len(ARMS))[arm], (n, 1))
