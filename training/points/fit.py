"""A points table fitted to the data: few kinds, round numbers, nothing below zero, so that a marketer can adopt it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.errors import UserError
from features.frozen import Frozen
from features.times import DAY
from models.points_table import PointsTable, Threshold
from nba.consent import word_of
from nba.settings.goals import Goal
from training import metrics
from training.dataset import Rows
from training.drift.kind_counts import kind_counts
from training.past import Past
from training.points.weights import fit_weights, loss_left_out
from training.rows.row_split import Split

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HALF_LIVES: tuple[int | None, ...] = (None, 365 * DAY, 90 * DAY, 30 * DAY, 14 * DAY)
MOST_KINDS = 8
STEP = 5
FEWEST = 40
"""Positive and negative rows before the test, contacts with a kind, and positive and negative test rows by tens."""
FEWEST_TESTED = 10
_SCALES = (100.0, 250.0, 500.0)
_MOST_ROWS = 60_000
_WITHIN = 0.002
"""Area under the curve that rounder numbers or fewer kinds may cost."""


class NotEnoughData(UserError):
    """Too few rows for points that would mean anything."""


@dataclass(frozen=True)
class Suggestion:
    """A table fitted before the test and judged on it, beside the one in force.

    Attributes
    ----------
    table
        What is suggested, thresholds included.
    auc, in_force
        Area under the curve of each on the test rows, with 95 % intervals.
    gain, gain_interval
        Difference of the two on the same rows.
    rates
        From which total on which share of contacts reaches the goal, with how many contacts, on the training rows.
    goal
        What the points foretell.
    train, test
        Rows.
    """

    table: PointsTable
    auc: float
    auc_interval: tuple[float, float] | None
    in_force: float
    in_force_interval: tuple[float, float] | None
    gain: float
    gain_interval: tuple[float, float]
    rates: tuple[tuple[float, float, int], ...]
    goal: str
    train: int
    test: int


def suggest(past: Past, goal: Goal, rows: Rows, split: Split, in_force: PointsTable) -> Suggestion:
    """Fit points for a goal on its training rows and judge them on its test rows.

    Raises
    ------
    NotEnoughData
        Where rows or kinds are too few.
    """
    train, test = _part(rows, split.train), _part(rows, split.test)
    _require(train, test)
    kinds = _kinds(past, goal, train)
    found = _best(past, train, kinds, in_force)
    before, after = (_score(past, train, table) for table in (in_force, found))
    table = replace(found, thresholds=_thresholds(in_force.thresholds, before, after))
    ours, theirs = _score(past, test, table), _score(past, test, in_force)
    gain, error = metrics.paired_gain(test.label, ours, theirs, test.cluster)
    error = min(error, 0.5)  # no two areas differ by more
    return Suggestion(
        table=table,
        auc=metrics.auc(test.label, ours) or 0.5,
        auc_interval=metrics.auc_interval(test.label, ours, test.cluster),
        in_force=metrics.auc(test.label, theirs) or 0.5,
        in_force_interval=metrics.auc_interval(test.label, theirs, test.cluster),
        gain=gain,
        gain_interval=(gain - metrics.Z_95 * error, gain + metrics.Z_95 * error),
        rates=_rates(after, train.label),
        goal=goal.name,
        train=len(train),
        test=len(test),
    )


def _part(rows: Rows, which: Flags) -> Rows:
    part = rows.only(which)
    if len(part) <= _MOST_ROWS:
        return part
    kept = np.zeros(len(part), dtype=np.bool_)
    kept[np.random.default_rng(0).choice(len(part), _MOST_ROWS, replace=False)] = True
    return part.only(kept)


def _require(train: Rows, test: Rows) -> None:
    for part, what, fewest in ((train, "before the test", FEWEST), (test, "in the test", FEWEST_TESTED)):
        positives = int(part.label.sum())
        if min(positives, len(part) - positives) < fewest:
            raise NotEnoughData(
                f"{positives:,} of {len(part):,} rows {what} reach the goal; points need at least {fewest} that do and "
                f"{fewest} that do not: load a longer history, or choose another goal with --goal"
            )


def _kinds(past: Past, goal: Goal, train: Rows) -> list[str]:
    """Kinds by which contacts act, seen of enough of them: what we send them earns nobody points."""
    touchpoints = past.touchpoints
    counts = kind_counts(touchpoints, train, touchpoints.kinds)
    inbound = np.bincount(touchpoints.kind[~touchpoints.outbound], minlength=len(touchpoints.kinds)) > 0
    seen = [len(np.unique(train.cluster[counts[:, i] > 0])) for i in range(len(touchpoints.kinds))]
    found = [
        kind for i, kind in enumerate(touchpoints.kinds) if inbound[i] and seen[i] >= FEWEST and word_of(kind) is None
    ]
    if not found:
        raise NotEnoughData(
            f"no kind of touchpoint was seen of {FEWEST} contacts before the test, and points need one: "
            "load a longer history"
        )
    return sorted(found)


def _best(past: Past, train: Rows, kinds: Sequence[str], in_force: PointsTable) -> PointsTable:
    """Choose the half-life by contacts left out, then the fewest kinds and the roundest numbers that cost nothing."""
    once = tuple(kind for kind in in_force.once if kind in kinds)
    fold = np.unique(train.cluster, return_inverse=True)[1] % 3
    losses: list[float] = []
    for half_life in HALF_LIVES:
        counts = kind_counts(past.touchpoints, train, kinds, once, half_life)
        losses.append(loss_left_out(counts, train.label, fold))
    half_life = HALF_LIVES[int(np.argmin(losses))]
    counts = kind_counts(past.touchpoints, train, kinds, once, half_life)
    kept = np.arange(len(kinds))
    weights = fit_weights(counts, train.label)
    if len(kinds) > MOST_KINDS:
        weight_of = weights * counts.std(axis=0)
        kept = np.sort(np.argsort(-weight_of, kind="stable")[:MOST_KINDS])
        weights = fit_weights(counts[:, kept], train.label)
    rounded = _rounded(counts[:, kept], weights, train.label)
    points = {kinds[i]: float(value) for i, value in zip(kept.tolist(), rounded, strict=True) if value > 0}
    points = dict(sorted(points.items(), key=lambda item: (item[1], item[0])))
    return replace(
        in_force, kinds=Frozen(points), once=tuple(kind for kind in once if kind in points), half_life_us=half_life
    )


def _rounded(counts: Floats, weights: Floats, label: Flags) -> Floats:
    """Multiples of 5 with the smallest largest number that orders the rows as well as the exact weights do."""
    largest = max(float(weights.max()), 1e-12)
    exact = metrics.auc(label, counts @ weights) or 0.5
    found, best = np.zeros(len(weights)), -1.0
    for scale in _SCALES:
        rounded = STEP * np.round(weights / largest * scale / STEP)
        area = metrics.auc(label, counts @ rounded) or 0.5
        if area > best + 1e-12:
            found, best = rounded, area
        if area >= exact - _WITHIN:
            break
    return found


def _score(past: Past, rows: Rows, table: PointsTable) -> Floats:
    kinds = tuple(table.kinds)
    counts = kind_counts(past.touchpoints, rows, kinds, table.once, table.half_life_us)
    score: Floats = counts @ np.array([table.kinds[kind] for kind in kinds], dtype=np.float64)
    return score


def _thresholds(in_force: Sequence[Threshold], before: Floats, after: Floats) -> tuple[Threshold, ...]:
    """Bounds that as many contacts pass as pass those in force, in steps of 5."""

    def moved(bound: float | None) -> float | None:
        if bound is None:
            return None
        share = float((before < bound).mean())
        if share >= 1.0:
            return float(STEP * np.ceil(after.max() / STEP + 1))
        at = float(np.sort(after)[round(share * (len(after) - 1))])
        return max(float(STEP), float(STEP * np.round(at / STEP)))

    found = [Threshold(each.actions, moved(each.from_), moved(each.below)) for each in in_force]
    # Rounding may close a narrow band; it then belongs to the one above it.
    return tuple(t for t in found if t.from_ is None or t.below is None or t.from_ < t.below)


def _rates(score: Floats, label: Flags) -> tuple[tuple[float, float, int], ...]:
    """Rows in bands of the total with the share that reached the goal: none, then halves, tenths and hundredths."""
    bounds = np.unique(STEP * np.round(np.quantile(score, [0.5, 0.75, 0.9, 0.97]) / STEP))
    bounds = np.concatenate([[0.0], bounds[bounds > 0]])
    rates = []
    for low, high in zip(bounds, [*bounds[1:], np.inf], strict=True):
        inside = (score >= low) & (score < high)
        if inside.any():
            rates.append((float(low), float(label[inside].mean()), int(inside.sum())))
    return tuple(rates)
