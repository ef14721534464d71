"""The propensity of one goal: gradient boosting, calibrated, with the reasons for one prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import UserError
from models.boosting import Choice, Params, Sample, grow, lightgbm
from models.calibration import Calibration, fitted
from models.calibration import choose as choose_calibration
from models.one_row import OneRow
from models.optional_columns import choose_with, without
from models.time_folds import Fold, contact_folds, time_folds

Floats = NDArray[np.float64]

FEWEST = 40
"""Positive and negative rows that a model needs."""


class NotEnoughData(UserError):
    """Too few rows of one class for a model; the goal is then served by points alone."""


@dataclass(frozen=True)
class Propensity:
    """Calibrated probability of one goal within its horizon.

    Attributes
    ----------
    columns
        Names of the matrix's columns, in order.
    categorical
        Those of them that hold codes of categories.
    text
        The booster as LightGBM's text, its columns called f0, f1 and so on.
    calibration
        Kept where it lowered the log loss on later rows.
    base_rate
        Share of positives among the rows it was fitted on.
    rounds, params, seed, bags
        The choices, so that a refit on more rows makes them again.
    folds
        How the choices were made: ``time``, or ``contacts`` where time could not divide the rows.
    unused
        Optional columns that did not pay, so that no tree looks at them.
    """

    columns: tuple[str, ...]
    categorical: tuple[str, ...]
    text: str = field(repr=False)
    calibration: Calibration
    base_rate: float
    rounds: int
    params: Params
    seed: int = 0
    bags: int = 1
    folds: str = "time"
    unused: tuple[str, ...] = ()
    booster: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "booster", lightgbm().Booster(model_str=self.text))

    @classmethod
    def fit(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        as_of: ArrayLike,
        until: ArrayLike,
        contact: ArrayLike,
        *,
        columns: Sequence[str],
        categorical: Sequence[str] = (),
        seed: int = 0,
        params: Params | None = None,
        optional: Sequence[Sequence[str]] = (),
    ) -> Self:
        """Fit on rows, with all choices made inside them on folds in time.

        Parameters
        ----------
        X
            Matrix, float (n, F), NaN where missing.
        y
            Truth, shape (n,), 0 or 1.
        as_of, until
            Moment and end of the horizon of each row, microseconds, shape (n,).
        contact
            Integer label of each row's contact, shape (n,).
        columns, categorical
            Names of the columns, and which of them hold codes.
        params
            LightGBM parameters that are not to be chosen.
        optional
            Groups of columns that are looked at only where the group lowers the log loss on later rows.

        Raises
        ------
        NotEnoughData
            With fewer than 40 positive or 40 negative rows.
        ValueError
            Where shapes do not fit.
        """
        sample = _sample(X, y, columns, categorical)
        moment, end, who = (np.asarray(a, dtype=np.int64) for a in (as_of, until, contact))
        _require_rows(sample.y)
        folds, kind = time_folds(sample.y, moment, end, most=3 if len(moment) > 200_000 else 4), "time"
        if not folds:
            folds, kind = contact_folds(sample.y, who, seed) or _row_folds(sample.y, seed), "contacts"
        choice, unused = choose_with(sample, folds, seed, params, optional, who)
        calibration = _calibration(sample.y, moment, end, who, folds, choice) if kind == "time" else Calibration()
        bags = 3 if len(sample.y) <= 30_000 else 1
        return cls(
            columns=sample.columns,
            categorical=sample.categorical,
            text=_grown(sample, unused, choice.params, choice.rounds, seed, bags),
            calibration=calibration,
            base_rate=float(sample.y.mean()),
            rounds=choice.rounds,
            params=choice.params,
            seed=seed,
            bags=bags,
            folds=kind,
            unused=unused,
        )

    def refit(self, X: ArrayLike, y: ArrayLike) -> Propensity:
        """Fit the same choices - parameters, rounds, calibration - on other rows with the same columns.

        Raises
        ------
        NotEnoughData
            With fewer than 40 positive or 40 negative rows.
        """
        sample = _sample(X, y, self.columns, self.categorical)
        _require_rows(sample.y)
        return Propensity(
            columns=self.columns,
            categorical=self.categorical,
            text=_grown(sample, self.unused, self.params, self.rounds, self.seed, self.bags),
            calibration=self.calibration,
            base_rate=float(sample.y.mean()),
            rounds=self.rounds,
            params=self.params,
            seed=self.seed,
            bags=self.bags,
            folds=self.folds,
            unused=self.unused,
        )

    def predict(self, X: NDArray[Any]) -> Floats:
        """Calibrated probabilities, shape (n,), within [1e-4, 1 - 1e-4].

        Raises
        ------
        ValueError
            Where ``X`` is not (n, F).
        """
        if X.shape == (1, len(self.columns)):
            return np.array([self.predict_one(X)])
        return self.calibration.apply(self._of_booster(X))

    def predict_one(self, row: NDArray[Any]) -> float:
        """Calibrated probability of one row, shape (1, F): as ``predict`` gives it, to the last bit."""
        if row.shape == (1, len(self.columns)) and row.dtype == np.float32 and row.flags.c_contiguous:
            return self.calibration.apply_one(self._of_row(row))
        return float(self.calibration.apply(self._of_booster(row))[0])

    @cached_property
    def _of_row(self) -> OneRow:
        return OneRow(self.booster, len(self.columns))

    def contributions(self, X: NDArray[Any]) -> Floats:
        """Return what each column adds to the log-odds before calibration (SHAP values), shape (n, F)."""
        return self._of_booster(X, pred_contrib=True)[:, :-1]

    def drivers(self) -> list[tuple[str, float]]:
        """Columns with their share of the loss the trees took away, the largest first; no unused ones."""
        gain = self.booster.feature_importance("gain")
        share = gain / max(gain.sum(), 1e-300)
        order = np.argsort(-share, kind="stable")
        return [(self.columns[i], float(share[i])) for i in order if share[i] > 0]

    def to_json(self) -> dict[str, Any]:
        """Everything but the booster's text."""
        return {
            "columns": list(self.columns),
            "categorical": list(self.categorical),
            "calibration": self.calibration.to_json(),
            "base_rate": self.base_rate,
            "rounds": self.rounds,
            "params": self.params,
            "seed": self.seed,
            "bags": self.bags,
            "folds": self.folds,
            "unused": list(self.unused),
        }

    @classmethod
    def from_json(cls, plain: dict[str, Any], text: str) -> Self:
        """Read what ``to_json`` wrote; a damaged ``text`` may end the process: verify its bundle before."""
        return cls(
            columns=tuple(plain["columns"]),
            categorical=tuple(plain["categorical"]),
            text=text,
            calibration=Calibration.from_json(plain["calibration"]),
            base_rate=float(plain["base_rate"]),
            rounds=int(plain["rounds"]),
            params=dict(plain["params"]),
            seed=int(plain["seed"]),
            bags=int(plain["bags"]),
            folds=str(plain["folds"]),
            unused=tuple(plain.get("unused", ())),
        )

    def _of_booster(self, X: NDArray[Any], **what: Any) -> Floats:
        if X.ndim != 2 or X.shape[1] != len(self.columns):
            raise ValueError(f"the matrix has shape {X.shape}; this model wants (n, {len(self.columns)})")
        # One thread: rows are few at serving time, and there the requests are what runs beside each other.
        result: Floats = np.asarray(self.booster.predict(X, num_threads=1, **what), dtype=np.float64)
        return result


def _sample(X: ArrayLike, y: ArrayLike, columns: Sequence[str], categorical: Sequence[str]) -> Sample:
    matrix, truth = np.asarray(X), np.asarray(y, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape != (len(truth), len(columns)):
        raise ValueError(
            f"the matrix has shape {matrix.shape}; with {len(truth)} truths and "
            f"{len(columns)} columns it must be ({len(truth)}, {len(columns)})"
        )
    if unknown := set(categorical) - set(columns):
        raise ValueError(f"categorical columns {sorted(unknown)} are no columns of the matrix")
    return Sample(matrix, truth, tuple(columns), tuple(categorical))


def _grown(sample: Sample, unused: Sequence[str], params: Params, rounds: int, seed: int, bags: int) -> str:
    with without(sample.X, [sample.columns.index(name) for name in unused]) as X:
        return grow(Sample(X, sample.y, sample.columns, sample.categorical), params, rounds, seed, bags)


def _require_rows(y: Floats) -> None:
    positives = int(y.sum())
    if min(positives, len(y) - positives) < FEWEST:
        raise NotEnoughData(
            f"{positives:,} positive and {len(y) - positives:,} negative rows are too few for a model; "
            f"it needs {FEWEST} of each: load a longer history, or snapshots more often (snapshots.every)"
        )


def _row_folds(y: Floats, seed: int) -> list[Fold]:
    return contact_folds(y, np.arange(len(y), dtype=np.int64), seed)


def _calibration(
    y: Floats,
    as_of: NDArray[np.int64],
    until: NDArray[np.int64],
    contact: NDArray[np.int64],
    folds: Sequence[Fold],
    choice: Choice,
) -> Calibration:
    """Judge calibrators on the newest fold, by those rows of the older folds that had matured before it."""
    later = np.isin(choice.judged, folds[-1].judge)
    rows = choice.judged
    early = ~later & (until[rows] <= as_of[folds[-1].judge].min())
    p, truth = choice.probability, y[rows]
    method = choose_calibration(p[early], truth[early], p[later], truth[later], contact[rows[later]])
    return fitted(method, p, truth)
