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
# # 6 A learning loop
#
# Decide, wait for what comes of it, learn every night: for 30 days, in a simulated world whose truth is known. Each
# contact is decided on every 14 days; an order within 4 days counts as the outcome, so what was tried on a Monday
# teaches on Friday at the earliest. On day 11 two actions are added: a mail that helps who uses what they bought, and
# a letter that annoys everybody. Nothing in the data tells which is which.
#
# All policies begin after two weeks in which actions were drawn evenly. Thompson draws by how unsure effects are and
# goes on trying; greedy takes what looks best and tries nothing; points is the rule that needs no model.

# %%
import os

import matplotlib.pyplot as plt
import pandas as pd

from training.loop import Loop, run
from training.plots_loop import draw_reached, draw_shares

N = int(os.environ.get("NBA_NOTEBOOK_CONTACTS", "3000"))
small = N < 1000
DAYS, ADDED_ON = (4, 1) if small else (30, 10)
played = {
    policy: [run(Loop(policy, n_contacts=N, days=DAYS, added_on=ADDED_ON, seed=1))]
    for policy in ("thompson", "greedy", "points")
}

# %% [markdown]
# ## What each policy reaches
#
# The worth of a day's choices is their expected worth by the truth, less what they cost. What doing nothing would have
# brought counts as 0, and what the best available action for every contact would have brought as 100 %. When the two
# actions arrive, the best becomes better, and everybody falls behind until the new one is found. Exploring has its
# price: where nothing new comes, who takes what looks best is ahead for a while.

# %%
figure, axis = plt.subplots(figsize=(9.5, 4.6))
draw_reached(axis, played, added_on=ADDED_ON)
axis.set_title("Each day's choices, against the best there were", loc="left")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## The action that is good, and the one that is not

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4))
for axis, action in zip(axes, ("service_mail", "glossy_letter"), strict=True):
    draw_shares(axis, played, action, added_on=ADDED_ON)
    axis.set_title(f"How often: {action}", loc="left")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## The last five days, in numbers
#
# "of the gain" leaves out what comes without any action; "of the worth" counts it, as a day's takings do.

# %%
pd.DataFrame(
    {
        policy: {
            "of the oracle's gain": loops[0].reached_in(-5),
            "of the oracle's worth": loops[0].worth_in(-5),
            "gained in all days": loops[0].gained[-1],
        }
        for policy, loops in played.items()
    }
).T.round(3)
