"""The fits from before the test that travel in a bundle: a later one is compared with them, and nobody is served."""

from __future__ import annotations

import json
from pathlib import Path

from models.bundle import JUDGED_STAGES, read_signed
from models.propensity import Propensity
from models.stages.stages import StageModel


def judged_fits(folder: Path) -> dict[str, Propensity]:
    """Read the fits from before the test of a bundle that has been verified, by goal.

    Raises
    ------
    BundleError
        Where files are missing, unknown or changed.
    """
    manifest, _, contents = read_signed(folder)
    found = manifest.get("judged", {})
    return {goal: Propensity.from_json(plain, contents[plain["file"]].decode()) for goal, plain in found.items()}


def judged_stages(folder: Path) -> StageModel | None:
    """Read the stages that the fits from before the test look at; None where they look at none.

    Raises
    ------
    BundleError
        Where files are missing, unknown or changed.
    """
    _, _, contents = read_signed(folder)
    return StageModel.from_json(json.loads(contents[JUDGED_STAGES])) if JUDGED_STAGES in contents else None
