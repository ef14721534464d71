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
# # 2 Where contacts are in their journey
#
# Stages are clusters of behaviour, never of outcomes: how many there are is what resamples of the contacts agree on.
# They are put in order along the journey and take the names of `nba.toml` from the stages that its rules describe.
# Here the world is simulated, so that we can look at what is otherwise unknown: the true stage.

# %%
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from features.store.store import Store
from models.stages.clusters import adjusted_rand
from nba.settings import load_settings
from training.past import read_past
from training.retrain import choose_features
from training.stages.fit import learn_stages
from training.stages.rows import behaviour, rule_stage_codes, stage_rows
from training.stages.transitions import transitions
from training.world.files import settings_text, write_store
from training.world.world import STAGES, world

N = int(os.environ.get("NBA_NOTEBOOK_CONTACTS", "3000"))
room = tempfile.TemporaryDirectory()
W = world(N, seed=7, days=240)
config = Path(room.name) / "nba.toml"
config.write_text(settings_text(W))
settings = load_settings(config, {})
with Store.open(settings.store.url) as store:
    write_store(W, store)
    past = read_past(store, settings, W.end)
print(f"{len(past.touchpoints):,} touchpoints of {len(past.touchpoints.contacts):,} contacts")

# %% [markdown]
# ## Learn them
#
# The rules of `nba.toml` name the stages; the clusters decide who is in which.

# %%
features = choose_features(past, settings, W.end)
learnt = learn_stages(past, settings, features, W.end)
stages = learnt.final
rows = stage_rows(past, W.end)
X = behaviour(past, features, rows, stages.columns)
newest = np.flatnonzero(rows.newest)
code = stages.predict(X[newest])
print(f"{len(stages.names)} stages, stability {stages.stability:.2f}: {', '.join(stages.names)}")

# %% [markdown]
# ## Against the truth

# %%
names = [past.touchpoints.contacts[contact] for contact in rows.contact[newest]]
known = np.array([name.startswith("crm:") for name in names])
number = np.array([int(name[4:]) if is_known else 0 for name, is_known in zip(names, known, strict=True)])
true = W.truth.stage_at(number, rows.as_of[newest])
rule = rule_stage_codes(past, settings.stages.rules, rows.contact[newest], rows.as_of[newest])
print(f"agreement with the truth (adjusted Rand): learnt {adjusted_rand(code[known], true[known]):.2f}, "
      f"by rule {adjusted_rand(rule[known], true[known]):.2f}")  # fmt: skip

table = pd.crosstab(
    pd.Categorical([STAGES[c] for c in true[known]], categories=STAGES),
    pd.Categorical([stages.names[c] for c in code[known]], categories=list(stages.names)),
    normalize="index",
    dropna=False,
)
figure, axis = plt.subplots(figsize=(7, 4.6))
shown = axis.imshow(table, cmap="Blues", vmin=0, vmax=1)
axis.set(xticks=range(table.shape[1]), yticks=range(table.shape[0]), xlabel="learnt stage", ylabel="true stage")
axis.set_xticklabels(table.columns, rotation=30, ha="right")
axis.set_yticklabels(table.index)
for (i, j), share in np.ndenumerate(table.to_numpy()):
    if share >= 0.01:
        axis.text(j, i, f"{share:.0%}", ha="center", va="center", color="white" if share > 0.55 else "#20303f")
axis.set_title("Where those of a true stage were found")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## What they do in each stage

# %%
means = pd.DataFrame(X[newest], columns=stages.columns).groupby([stages.names[c] for c in code]).mean()
spread = pd.DataFrame(X[newest], columns=stages.columns).std()
most = ((means - means.mean()).abs() / spread).max().sort_values(ascending=False).index[:8]
meaning = {f.name: f.means for f in features.features}
figure, axis = plt.subplots(figsize=(8, 4.2))
score = ((means - means.mean()) / spread).loc[[n for n in stages.names if n in means.index], most]
image = axis.imshow(score.T, cmap="RdBu_r", vmin=-2, vmax=2, aspect="auto")
axis.set(xticks=range(len(score)), yticks=range(len(most)))
axis.set_xticklabels(score.index, rotation=30, ha="right")
axis.set_yticklabels([meaning.get(name, name).rstrip(".") for name in most], fontsize=8)
figure.colorbar(image, label="standard deviations from the mean")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## How long they stay, and where they go

# %%
told = transitions(past, stages, features)
pd.DataFrame(told["next"]).T.fillna(0.0).round(2)

# %%
room.cleanup()
