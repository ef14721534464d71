"""One training by the product's own way, in a folder of its own: load files, train, and read what was published."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.quality_table import Found
from features.loading.loading import load_files
from features.matrix import History
from features.own_rows import own_of
from features.store.store import Store
from models.belief import Belief
from models.judged import judged_fits, judged_stages
from models.stages.column import fill_stage
from nba.settings import Settings, load_settings
from training import metrics
from training.dataset import Rows, make_rows
from training.past import Past, read_past
from training.promotion import registry_of
from training.retrain import train
from training.rows.row_split import split_rows

DRAWS = 1000


@dataclass(frozen=True)
class Run:
    """A training: its settings, its report, and the folder its published bundle was fetched to."""

    settings: Settings
    report: Mapping[str, Any]
    bundle: Path

    def past(self, now: int) -> Past:
        """Read everything before ``now``, microseconds."""
        with Store.open(self.settings.store.url) as store:
            return read_past(store, self.settings, now)

    def belief(self) -> Belief:
        """Load the bundle."""
        return Belief.load(self.bundle, str(self.report["bundle"]["version"]))


@dataclass(frozen=True)
class Judged:
    """Truths of test rows, what the fit from before the test said of them, and whose rows they are; shape (n,)."""

    label: NDArray[np.bool_]
    predicted: NDArray[np.float64]
    cluster: NDArray[np.int64]


def run(folder: Path, toml: str, tables: Sequence[tuple[str, Path]], now: int | None = None) -> Run:
    """Load ``tables`` into a new store and train, as ``nba load`` and ``nba train run`` do.

    Parameters
    ----------
    folder
        Empty; the ``nba.toml`` is written there.
    tables
        Name and file of each.
    now
        Microseconds; the present when left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nba.toml").write_text(toml)
    settings = load_settings(folder / "nba.toml", {})
    present = time.time_ns() // 1000
    with Store.open(settings.store.url) as store:
        for table, path in tables:
            load_files(store, table, [path], now_us=present, rules=settings.touchpoints)
    trained = train(settings, present if now is None else now, say=lambda words: None)
    bundle = registry_of(settings).fetch(trained.version, folder / "bundle")
    return Run(settings, trained.report, bundle)


def judge(run: Run, goal: str, horizon: int | None = None) -> Judged:
    """Let the fit from before the test predict the test rows again.

    Parameters
    ----------
    horizon
        Microseconds: another span in which the rows' truth is looked for; the goal's own when left out.
    """
    past, belief = run.past(time.time_ns() // 1000), run.belief()
    asked = run.settings.goals[goal]
    asked = asked if horizon is None else replace(asked, horizon=horizon)
    rows = make_rows(past.touchpoints, asked, run.settings.touchpoints, past.end, past.versions)
    rows = rows.only(split_rows(rows, asked).test)
    fit = judged_fits(run.bundle)[goal]
    return Judged(rows.label, fit.predict(_matrix(run, past, belief, goal, rows)), rows.cluster)


def _matrix(run: Run, past: Past, belief: Belief, goal: str, rows: Rows) -> NDArray[np.float32]:
    features = belief.own_features.get(goal, belief.features)
    own = own_of(past.recorded, rows.own) if features.own else None
    X = History(past.touchpoints, features).matrix(rows.contact, rows.as_of, traits=past.traits, own=own)
    past.fill_account(features, rows.contact, rows.as_of, X)
    fill_stage(judged_stages(run.bundle), features, X)
    return X


def calibration(name: str, judged: Judged) -> list[Found]:
    """Calibration error, and how far the mean prediction lies from the base rate; their ratio stands in the note."""
    y, p = judged.label.astype(np.float64), judged.predicted
    ratio = float(p.mean() / y.mean())
    errors, ratios = _draws(judged)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return [
        Found(
            f"{name}, calibration error",
            metrics.ece(y, p) or 0.0,
            (float(np.quantile(errors, 0.025)), float(np.quantile(errors, 0.975))),
            "",
            0.035,
            0.015,
        ),
        Found(
            f"{name}, mean prediction off the base rate",
            abs(float(p.mean() - y.mean())),
            None,
            "",
            0.05,
            None,
            f"mean prediction {p.mean():.4f}, base rate {y.mean():.4f} ({p.mean() - y.mean():+.4f}); "
            f"their ratio {ratio:.3f}, 95 % interval {low:.3f} to {high:.3f} by contact",
            is_most=True,
        ),
    ]


def _draws(judged: Judged) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Calibration errors and ratios of contacts drawn anew."""
    rng = np.random.default_rng(0)
    _, group = np.unique(judged.cluster, return_inverse=True)
    order = np.argsort(group, kind="stable")
    start = np.searchsorted(group[order], np.arange(group.max() + 2))
    errors, ratios = np.empty(DRAWS), np.empty(DRAWS)
    for draw in range(DRAWS):
        chosen = rng.integers(0, len(start) - 1, len(start) - 1)
        rows = np.concatenate([order[start[c] : start[c + 1]] for c in chosen])
        y, p = judged.label[rows].astype(np.float64), judged.predicted[rows]
        errors[draw], ratios[draw] = metrics.ece(y, p) or 0.0, p.mean() / max(y.mean(), 1e-9)
    return errors, ratios


def interval_of(found: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the interval of an AUC as the report gives it."""
    given = found["auc_interval"]
    return None if given is None else (float(given[0]), float(given[1]))


def rules_of(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Name the best rule of a goal's metrics."""
    rules = {name: part["auc"] for name, part in found.items() if name != "model" and part["auc"] is not None}
    best = max(rules, key=lambda name: rules[name])
    return f"{best} {rules[best]:.3f}"
