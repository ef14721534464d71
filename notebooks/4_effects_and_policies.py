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
# # 4 What an action changes, and which policy is served
#
# A propensity says who will act; an effect says whom an action moves. Effects can be learnt where actions were drawn
# by chance. The best known open experiment is the MineThatData e-mail challenge (Hillstrom, 2008): 64,000 customers got
# men's mail, women's mail or none, each with probability 1/3, and visited the shop or not.
#
# The file is not ours to ship: put it anywhere and name it in `NBA_HILLSTROM`. Without it an experiment of the same
# shape is drawn, in which the truth is known.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from models.effect.effect import Effects
from models.qini import qini, qini_curve
from nba.valuation import Log, gain_of, value_of

ARMS = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
KNOWN_BEFORE = ("recency", "history", "mens", "womens", "zip_code", "newbie", "channel")
CATEGORIES = ("zip_code", "channel")


def drawn(n: int) -> pd.DataFrame:
    """Draw an experiment of the same shape: women's mail moves who bought women's things, men's mail all alike."""
    rng = np.random.default_rng(5)
    rows = pd.DataFrame(
        {
            "recency": rng.integers(1, 13, n),
            "history": rng.lognormal(5, 0.9, n),
            "mens": rng.integers(0, 2, n),
            "womens": rng.integers(0, 2, n),
            "zip_code": rng.choice(["Rural", "Suburban", "Urban"], n),
            "newbie": rng.integers(0, 2, n),
            "channel": rng.choice(["Phone", "Web", "Multichannel"], n),
            "segment": rng.choice(ARMS, n),
        }
    )
    chance = 0.16 - 0.006 * rows["recency"] + 0.03 * (rows["channel"] == "Web")
    chance += 0.075 * (rows["segment"] == ARMS[1]) + (0.01 + 0.06 * rows["womens"]) * (rows["segment"] == ARMS[2])
    return rows.assign(visit=(rng.random(n) < chance).astype(int))


named = os.environ.get("NBA_HILLSTROM")
small = int(os.environ.get("NBA_NOTEBOOK_CONTACTS", "0"))
rows = pd.read_csv(named) if named else drawn(20 * small if small else 64_000)
for column in CATEGORIES:
    rows[column] = rows[column].astype("category").cat.codes
arm = rows["segment"].map({name: i for i, name in enumerate(ARMS)}).to_numpy(np.int64)
visit = rows["visit"].to_numpy(np.float64)
X = rows[list(KNOWN_BEFORE)].to_numpy(np.float32)
print(f"{len(rows):,} customers; visits: " + ", ".join(f"{ARMS[a]} {visit[arm == a].mean():.1%}" for a in range(3)))

# %% [markdown]
# ## The average effect of each mail
#
# Learnt doubly robust and cross-fitted: no model is asked about a customer it has seen. The probabilities are logged,
# so the evidence is "randomised".

# %%
third = np.full((len(arm), 3), 1 / 3)
effects = Effects.fit(
    X, arm, visit, actions=ARMS, columns=KNOWN_BEFORE, categorical=CATEGORIES, probability=third[:, 0], chances=third
)
pd.DataFrame(effects.average).T

# %% [markdown]
# ## Whom women's mail moves
#
# The Qini curve: visits brought about when the customers with the largest predicted effect come first. The straight
# line is chance; "bought women's before" is the rule a marketer would use.

# %%
pair = arm != 1
treated = arm[pair] == 2
scores = {
    "effects, out of fold": effects.out_of_fold.effect[pair, 1],
    "bought women's before": X[pair, KNOWN_BEFORE.index("womens")].astype(float),
}
figure, axis = plt.subplots(figsize=(7.5, 4.4))
for name, score in scores.items():
    x, gained = qini_curve(score, treated, visit[pair])
    area = qini(score, treated, visit[pair])
    axis.plot(x / x[-1], gained, label=f"{name} (Qini {area:.3f})", linewidth=2.5 if "effects" in name else 1.4)
axis.plot([0, 1], [0, gained[-1]], color="#cccccc", label="chance")
axis.set(xlabel="part of the customers, largest effect first", ylabel="visits brought about")
axis.legend(frameon=False)
figure.tight_layout()
plt.show()

# %% [markdown]
# ## Do groups change as they were said to?
#
# Five groups by predicted effect; what the effect was is measured doubly robust, with its 95 % interval.

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
for a, axis in zip((0, 1), axes, strict=True):
    said, stand_in = effects.out_of_fold.effect[:, a], effects.out_of_fold.stand_in[:, a]
    groups = np.array_split(np.argsort(said, kind="stable"), 5)
    middle = [said[g].mean() for g in groups]
    was = [stand_in[g].mean() for g in groups]
    wide = [1.96 * stand_in[g].std() / len(g) ** 0.5 for g in groups]
    axis.errorbar(middle, was, yerr=wide, fmt="o", color="#b03a2e", capsize=3)
    low, high = min(middle) - 0.01, max(middle) + 0.01
    axis.plot([low, high], [low, high], color="#cccccc")
    axis.axhline(0, color="#888888", linewidth=0.6)
    axis.set(title=effects.names[a], xlabel="predicted effect")
axes[0].set_ylabel("measured effect")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## Which policy?
#
# Half of the customers teach; policies are valued on the other half, which taught nothing. The learned policy gives
# everybody the mail with the largest expected visit rate.

# %%
order = np.random.default_rng(0).permutation(len(arm))
teach, judge = np.array_split(order, 2)
taught = Effects.fit(
    X[teach], arm[teach], visit[teach], actions=ARMS, columns=KNOWN_BEFORE, categorical=CATEGORIES,
    probability=third[teach, 0], chances=third[teach],
)  # fmt: skip
found = taught.predict(X[judge])
expected = np.column_stack([found.without, found.without[:, None] + found.effect])
log = Log(ARMS, arm[judge], visit[judge], np.full(len(judge), 1 / 3), expected, np.arange(len(judge)))
policies = {f"always {name}": np.tile(np.eye(3)[a], (len(judge), 1)) for a, name in enumerate(ARMS)}
policies["uniform"] = third[judge]
policies["learned"] = np.eye(3)[expected.argmax(axis=1)]
values = {name: value_of(log, target) for name, target in policies.items()}
figure, axis = plt.subplots(figsize=(7.5, 3.2))
for place, (name, value) in enumerate(sorted(values.items(), key=lambda item: item[1].dr)):
    axis.plot(value.interval, [place, place], color="#5d6d7e", linewidth=2)
    axis.plot(value.dr, place, "o", color="#b03a2e" if name == "learned" else "#5d6d7e")
axis.set(yticks=range(len(values)), yticklabels=sorted(values, key=lambda name: values[name].dr))
axis.set_xlabel("visit rate, doubly robust, with its 95 % interval")
figure.tight_layout()
plt.show()

# %%
best = max((name for name in values if name != "learned"), key=lambda name: values[name].dr)
gain = gain_of(log, policies["learned"], policies[best])
print(f"learned against {best}: {gain.value:+.4f} ({gain.interval[0]:+.4f} to {gain.interval[1]:+.4f})")
print("a personalised gain is shown" if gain.is_shown else f"no personalised gain can be shown; {best} is served")
