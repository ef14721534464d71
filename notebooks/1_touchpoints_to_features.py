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
# # 1 From touchpoints to features
#
# A touchpoint is one dated interaction. A feature is a number about a contact *as of* a moment: only what happened
# strictly before it counts. This notebook makes a world of contacts, lays their touchpoints out, and computes features
# with the code that also answers requests. `NBA_NOTEBOOK_CONTACTS` sets how many contacts there are.

# %%
import os
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from features.feature_set import choose
from features.matrix import History
from features.times import DAY, iso
from features.touchpoints.touchpoints import TouchpointRules
from training.world.world import BEGIN, STAGES, world

N = int(os.environ.get("NBA_NOTEBOOK_CONTACTS", "4000"))
W = world(N, seed=1, days=240)
touchpoints = W.as_touchpoints()
print(f"{len(touchpoints):,} touchpoints of {len(touchpoints.contacts):,} contacts, {iso(W.begin)} to {iso(W.end)}")

# %% [markdown]
# ## One contact
#
# What one contact did, by kind and time. The bands are its true stages; in the real world nobody tells them.

# %%
contact = int(np.argsort(np.diff(touchpoints.start))[-N // 20])
mine = slice(touchpoints.start[contact], touchpoints.start[contact + 1])
day = (touchpoints.occurred_at[mine] - BEGIN) / DAY
kind = [touchpoints.kinds[code] for code in touchpoints.kind[mine]]
names = sorted(set(kind), key=kind.count)

days = np.arange(240)
stage = W.truth.stage_at(np.full(240, contact), BEGIN + days * DAY)
colours = plt.get_cmap("Pastel1")
figure, axis = plt.subplots(figsize=(11, 0.32 * len(names) + 1.6))
for code in np.unique(stage):
    inside = stage == code
    axis.fill_between(days, -0.6, len(names) - 0.4, where=inside, color=colours(code), step="post", label=STAGES[code])
axis.plot(day, [names.index(each) for each in kind], "o", color="#20303f", markersize=4, alpha=0.7)
axis.set(yticks=range(len(names)), yticklabels=names, xlabel="day", xlim=(0, 240), ylim=(-0.6, len(names) - 0.4))
axis.legend(ncols=6, loc="upper center", bbox_to_anchor=(0.5, -0.22), frameon=False)
axis.set_title(f"What {touchpoints.contacts[contact]} did, and where it truly was")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## The feature set
#
# Which kinds, channels and topics get columns of their own is chosen from what was known before a moment, and then
# fixed: a kind that is first seen later falls into the rest, so that it never changes what a model sees.

# %%
rules = TouchpointRules()
features = choose(touchpoints, rules=rules, before=W.end - 60 * DAY)
listed = pd.DataFrame([{"feature": f.name, "unit": f.unit, "means": f.means} for f in features.features])
print(f"{len(listed)} features")
listed.sample(8, random_state=3)

# %% [markdown]
# ## The matrix
#
# One row per contact and moment; NaN is "not known". The first row below is the same contact at three moments.

# %%
history = History(touchpoints, features)
moments = W.end - np.array([90, 60, 30]) * DAY
three = history.matrix(np.full(3, contact), moments)
pd.DataFrame(three, columns=features.columns, index=[iso(at)[:10] for at in moments.tolist()]).T.dropna().sample(
    10, random_state=5
)

# %% [markdown]
# Nothing at or after `as_of` counts: in a world that ends there, the same contact has the same features to the bit.

# %%
ended = world(N, seed=1, days=150).as_touchpoints()
there = History(ended, features).matrix(np.array([contact]), moments[:1])
print("equal to the bit:", there.tobytes() == three[:1].tobytes())

# %% [markdown]
# All contacts at three moments take one call.

# %%
all_contacts = np.arange(len(touchpoints.contacts))
began = time.perf_counter()
X = history.matrix(np.tile(all_contacts, 3), np.repeat(moments, len(all_contacts)))
print(f"{len(X):,} rows x {X.shape[1]} features in {time.perf_counter() - began:.2f} s")

# %% [markdown]
# ## What features tell about the stage
#
# Contacts at the last moment, by two features, coloured by their true stage: the journey is visible in what they do.

# %%
last = len(all_contacts) * 2
stage = W.truth.stage_at(all_contacts, np.full(len(all_contacts), moments[2]))
figure, axes = plt.subplots(1, 2, figsize=(11, 4))
shown = ["n_inbound_30d", "recency_inbound_days"]
for axis, name in zip(axes, shown, strict=True):
    column = X[last:, features.columns.index(name)]
    groups = [column[(stage == code) & ~np.isnan(column)] for code in range(len(STAGES))]
    axis.boxplot(groups, tick_labels=STAGES, showfliers=False, medianprops={"color": "#b03a2e"})
    axis.set_title(next(f.means for f in features.features if f.name == name), fontsize=10)
    axis.tick_params(axis="x", rotation=30)
figure.tight_layout()
plt.show()
