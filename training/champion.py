"""The bundle that serves, as a new one is compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from features.feature_set import FeatureSetError
from models.belief import Belief
from models.bundle import BundleError
from models.judged import judged_fits, judged_stages
from models.propensity import Propensity
from models.registry.registry import Registry
from models.stages.stages import StageModel
from models.verify import verify


@dataclass(frozen=True)
class Champion:
    """The bundle that serves, with its fits from before its own test, and the AUC each had there."""

    belief: Belief
    judged: Mapping[str, Propensity]
    auc: Mapping[str, float] = field(default_factory=dict)
    stages: StageModel | None = None
    """The stages that the judged fits look at."""


@dataclass(frozen=True)
class Unreadable:
    """A champion that this version of the code cannot read, with the reason: nothing can be compared with it."""

    why: str


def champion_of(registry: Registry, room: Path) -> Champion | Unreadable | None:
    """Fetch the champion into a folder; None where there is none.

    One that is damaged or was made for another feature catalogue must not stop the training that would replace it.

    Raises
    ------
    RegistryError
        Where MLflow does not answer.
    """
    found = registry.champion()
    if found is None:
        return None
    version = found[0]
    try:
        folder = registry.fetch(version, room / "champion")
        verify(folder)
        belief, judged, stages = Belief.load(folder, version), judged_fits(folder), judged_stages(folder)
    except (BundleError, FeatureSetError) as fault:
        return Unreadable(str(fault))
    metrics = registry.training(version).metrics
    auc = {goal: metrics[name] for goal in belief.goals if (name := f"{goal}.model.auc") in metrics}
    return Champion(belief, judged, auc, stages)
