"""What a training run holds in MLflow; the module itself is handed in by the registry, its only importer."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.bundle import MANIFEST, BundleError


def logged(mlflow: Any, params: Mapping[str, object], metrics: Mapping[str, float]) -> dict[str, Any]:
    """Parameters and metrics as one batch, so that a run has all of them or none."""
    entities = mlflow.entities
    return {
        "params": [entities.Param(name, str(value)[:6000]) for name, value in params.items()],
        "metrics": [entities.Metric(name, float(value), 0, 0) for name, value in metrics.items()],
    }


def log_file(client: Any, run_id: str, name: str, content: bytes, folder: str | None) -> None:
    """Store bytes as an artifact of a run."""
    with tempfile.TemporaryDirectory() as parent:
        path = Path(parent) / name
        path.write_bytes(content)
        client.log_artifact(run_id, str(path), folder)


def log_model(mlflow: Any, bundle_folder: Path, manifest: Mapping[str, Any]) -> Any:
    """Log the bundle inside the thin model that MLflow's own tools load."""
    with tempfile.TemporaryDirectory() as parent:
        # An artifact is stored under its folder's own name, and that shall always be the same.
        copy = shutil.copytree(bundle_folder, Path(parent) / "bundle")
        return mlflow.pyfunc.log_model(
            name="bundle",
            python_model=str(Path(__file__).with_name("pyfunc_model.py")),
            artifacts={"bundle": str(copy)},
            pip_requirements=["nba-service", "pandas"],
            signature=_signature(mlflow, manifest),
        )


def bundle_in(folder: Path, version: str) -> Path:
    """Folder of the bundle among a model's downloaded files."""
    found = sorted(path.parent for path in folder.rglob(MANIFEST))
    if not found:
        raise BundleError(f"version {version} holds no bundle; was it registered by nba?")
    return found[0]


def _signature(mlflow: Any, manifest: Mapping[str, Any]) -> Any:
    """Columns in and out; named by hand, as inferring them would need rows."""
    ColSpec, Schema = mlflow.types.ColSpec, mlflow.types.Schema
    described = manifest["propensities"]
    names = dict.fromkeys(name for model in described.values() for name in model["columns"])
    inputs = Schema([ColSpec("double", name, required=False) for name in names]) if names else None
    outputs = Schema([ColSpec("double", f"p_{goal}") for goal in described]) if described else None
    return mlflow.models.ModelSignature(inputs=inputs, outputs=outputs) if inputs else None
