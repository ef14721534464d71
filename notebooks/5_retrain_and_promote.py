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
# # 5 Retrain, compare and promote in MLflow
#
# `nba train run` does what is done here step by step: it learns from everything before now, publishes a bundle as a
# version of one registered model, and lets the gate decide whether it becomes the champion. A month later it is done
# again, and the new bundle must not be worse than the champion beyond noise.

# %%
import os
import tempfile
from pathlib import Path

import matplotlib.image
import matplotlib.pyplot as plt
import pandas as pd

from features.store.store import Store
from features.times import DAY
from models.registry.registry import Registry
from nba.settings import load_settings
from training.retrain import train
from training.world.files import settings_text, write_store
from training.world.world import world

N = int(os.environ.get("NBA_NOTEBOOK_CONTACTS", "700"))
room = tempfile.TemporaryDirectory()
config = Path(room.name) / "nba.toml"
W = world(N, seed=11, days=270)
config.write_text(settings_text(W))
settings = load_settings(config, {})
with Store.open(settings.store.url) as store:
    write_store(W, store)

# %% [markdown]
# ## The first training
#
# As of a month before the data end. Nothing at or after that moment is looked at.

# %%
month_ago = W.end - 30 * DAY
first = train(settings, month_ago, say=print)
print(f"version {first.version}, promoted: {first.promoted}")
print("; ".join(first.report["verdict"]["reasons"]))


# %% [markdown]
# The report has the model beside every rule, on test rows later in time than everything it learnt from.


# %%
def areas(report):
    """Area under the curve of each goal, by the model and by every rule."""
    goals = report["goals"].items()
    return pd.DataFrame(
        {goal: {name: found["auc"] for name, found in part["metrics"].items()} for goal, part in goals}
    ).astype(float)


ax = areas(first.report).T.plot.bar(figsize=(9, 3.6), rot=0, ylim=(0.4, 1.0), width=0.8)
ax.set(ylabel="area under the curve", title="Test rows")
ax.legend(ncols=6, loc="upper center", bbox_to_anchor=(0.5, -0.1), frameon=False)
plt.tight_layout()
plt.show()

# %% [markdown]
# ## A month later

# %%
second = train(settings, W.end, say=lambda _: None)
print(f"version {second.version}, promoted: {second.promoted}")
print("; ".join(second.report["verdict"]["reasons"]))
areas(second.report).round(3)

# %% [markdown]
# ## What MLflow has
#
# One registered model, a version per bundle; the aliases say who serves. `nba train promote` and `nba train rollback`
# set them by hand, with a reason.

# %%
import mlflow

mlflow.set_tracking_uri(settings.mlflow.tracking_uri)
client = mlflow.MlflowClient()
model = client.get_registered_model(settings.mlflow.model)
print("aliases:", dict(model.aliases))
versions = client.search_model_versions(f"name = '{settings.mlflow.model}'")
runs = {str(version.version): client.get_run(version.run_id) for version in versions}
shown = [name for name in sorted(next(iter(runs.values())).data.metrics) if name.endswith(("model.auc", "model.ece"))]
pd.DataFrame({version: {name: run.data.metrics.get(name) for name in shown} for version, run in runs.items()})

# %% [markdown]
# The pictures of a training are artifacts of its run.

# %%
run = runs[second.version]
pictures = [item.path for item in client.list_artifacts(run.info.run_id, "plots")]
print(", ".join(sorted(Path(path).name for path in pictures)))
wanted = ("conversion-calibration.png", "conversion-qini.png", "stages.png")
few = [path for path in sorted(pictures) if Path(path).name in wanted][:2]
figure, axes = plt.subplots(1, len(few), figsize=(11, 4.6), squeeze=False)
for axis, path in zip(axes[0], few, strict=True):
    axis.imshow(matplotlib.image.imread(client.download_artifacts(run.info.run_id, path, room.name)))
    axis.axis("off")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## Back, and forth
#
# A rollback lets the version before serve again; both are on record with who and why.

# %%
registry = Registry(settings.mlflow.tracking_uri, settings.mlflow.model, settings.mlflow.artifacts)
if first.promoted and second.promoted:
    print("serves again:", registry.rollback("shown in the notebook", by="notebook"))
    registry.promote(second.version, "shown in the notebook", by="notebook")
print("champion:", registry.champion())

# %%
room.cleanup()
