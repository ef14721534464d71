"""A small bundle as training makes them, and publishing it: what the tests of the registry stand on."""

from pathlib import Path

import numpy as np

from features.feature_set import FeatureSet
from features.times import DAY
from models.bundle import Bundle
from models.propensity import Propensity
from models.registry.registry import Registry
from models.registry.training_run import DataUsed, TrainingRun
from models.stages.stages import StageModel

FEATURES = FeatureSet(kinds=("visit", "order"), channels=("web",), topics=())


def made_bundle(folder: Path, seed: int = 0, *, stages: bool = False) -> Path:
    """Save a bundle of one goal whose propensity rises with a count, with stages or without."""
    rng = np.random.default_rng(seed)
    X = rng.poisson(2.0, (800, len(FEATURES.columns))).astype(np.float32)
    y = (rng.random(800) < 1 / (1 + np.exp(3 - X[:, 1]))).astype(float)
    as_of = np.sort(rng.integers(0, 12, 800)) * 14 * DAY
    model, judged = (
        Propensity.fit(
            X[rows], y[rows], as_of[rows], as_of[rows] + 14 * DAY, np.arange(800)[rows],
            columns=FEATURES.columns, categorical=(), params={"num_leaves": 4, "learning_rate": 0.3},
        )
        for rows in (slice(None), slice(0, 600))
    )  # fmt: skip
    goal = {
        "is_absence": False,
        "linked": False,
        "horizon_us": 30 * DAY,
        "base_rate": 0.2,
        "success_value": 100.0,
        "grades": [0.2, 0.5, 0.9],
        "own": None,
        "effects": {},
    }
    manifest = {
        "created_at": "2026-01-01T00:00:00Z",
        "features": FEATURES.to_json(),
        "goals": {"conversion": goal},
        "actions": {},
        "policies": {"serves": "points", "evidence": "none"},
    }
    learnt = StageModel.fit(X, FEATURES.columns, rng.integers(0, 3, 800), ("a", "b", "c"), clusters=3)
    Bundle(manifest, {"conversion": model}, learnt if stages else None, judged={"conversion": judged}).save(folder)
    return folder


DATA = DataUsed("sqlite:///nba.db", "0123456789abcdef", {"touchpoints": 12}, "2025-01-01", "2026-11-21")


def training(note: str = "", *, auc: float = 0.75, day: int = 20_000) -> TrainingRun:
    """Return what a training says of itself."""
    return TrainingRun(
        params={"goals": "conversion"},
        metrics={"conversion.model.auc": auc},
        report={"data": {"touchpoints": 12}, "note": note},
        plots={"conversion-lift": b"\x89PNG"},
        tags={"trained_through": "2026-11-21T00:00:00Z", "validation": "passed"},
        data=DATA,
        at=day * DAY + 5,
    )


def publish(registry: Registry, bundle: Path, note: str = "", **named: float) -> str:
    """Publish a bundle; returns its version."""
    return registry.publish(bundle, training(note, **named))  # type: ignore[arg-type]
