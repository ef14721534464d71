"""The Complete Journey: who redeems a campaign's coupons, and who stays away for four weeks."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bench.quality_run import Run, calibration, interval_of, judge, rules_of, run
from bench.quality_table import Found
from training import metrics
from training.dataset import make_rows
from training.fit import GoalFit, fit_goal
from training.journey import write_tables
from training.metrics import paired_gain
from training.rows.goal_rows import build
from training.rows.row_split import split_rows

TOML = Path(__file__).parent.parent / "training" / "commands" / "demo.toml"
FIRST_START = "2017-03-01"
NOTE = "campaigns are targeted: a response, not an effect"


def journey(data: Path, folder: Path) -> list[Found]:
    """Figures of both goals of the demo's own settings; the package brings the data, so ``data`` is not looked at."""
    paths = write_tables(folder / "data")
    _earlier_starts_apart(paths["touchpoints"])
    trained = run(folder / "run", TOML.read_text(), list(paths.items()))
    redemption, churn = (trained.report["goals"][name]["metrics"] for name in ("conversion", "churn"))
    judged = judge(trained, "conversion")
    return [
        Found(
            "Journey, redemption, AUC",
            redemption["model"]["auc"],
            interval_of(redemption["model"]),
            f"{rules_of(redemption)}; earlier redemptions .766",
            0.82,
            0.865,
            NOTE,
        ),
        _action_features(trained),
        *calibration("Journey, redemption", judged),
        Found(
            "Journey, churn, AUC",
            churn["model"]["auc"],
            interval_of(churn["model"]),
            rules_of(churn),
            0.843,
            0.86,
        ),
        *calibration("Journey, churn", judge(trained, "churn")),
    ]


def _earlier_starts_apart(path: Path) -> None:
    """Give sends before March another kind, so that no row is made of them; they stay part of the past."""
    rows = pd.read_parquet(path)
    early = (rows["kind"] == "campaign_sent") & (rows["occurred_at"] < FIRST_START)
    rows.loc[early, "kind"] = "campaign_sent_before_records"
    rows.to_parquet(path, index=False)


def _action_features(trained: Run) -> Found:
    """Fit the same rows with and without the columns about the campaign itself."""
    past, goal = trained.past(time.time_ns() // 1000), trained.settings.goals["conversion"]
    rows = make_rows(past.touchpoints, goal, trained.settings.touchpoints, past.end, past.versions)
    features = replace(trained.belief().features, stage=False)
    with_them = build(past, goal, rows, split_rows(rows, goal), features)
    without = replace(with_them, X=with_them.X.copy())
    own = [with_them.features.columns.index(feature.name) for feature in with_them.features.own_features]
    without.X[:, own] = np.nan
    fits: list[GoalFit] = [fit_goal(data, past) for data in (with_them, without)]
    label = rows.label[fits[0].test]
    ours, theirs = (fit.predicted for fit in fits)
    if ours is None or theirs is None:
        raise ValueError("the redemption rows are too few for a model; is the data package whole?")
    gain, error = paired_gain(label, ours, theirs, rows.cluster[fits[0].test])
    return Found(
        "Journey, redemption, AUC gained by action features",
        gain,
        (gain - metrics.Z_95 * error, gain + metrics.Z_95 * error),
        f"without them {metrics.auc(label, theirs):.3f}",
        0.025,
        None,
        "both without the stage",
    )
