"""What a training run holds in MLflow; the module itself is handed in by the registry, its only importer."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.bundle import MANIFEST, BundleError
from models.registry.training_run import DataUsed, TrainingRun

REPORT = "report.json"


def params(mlflow: Any, run: TrainingRun) -> list[Any]:
    """Parameters as MLflow takes them."""
    return [mlflow.entities.Param(name, str(value)[:6000]) for name, value in run.params.items()]


def metrics(mlflow: Any, run: TrainingRun, model: Any) -> list[Any]:
    """Metrics on the day that the training stands for, of the run and of its model and dataset."""
    dataset = {} if run.data is None else {"dataset_name": run.data.name, "dataset_digest": run.data.digest}
    return [
        mlflow.entities.Metric(name, float(value), run.at // 1000, run.step, model_id=model.model_id, **dataset)
        for name, value in run.metrics.items()
    ]


def dataset(mlflow: Any, data: DataUsed) -> Any:
    """Return the run's input: which data, how much of it and from when; none of the data themselves."""
    profile = {**data.counts, "from": data.since, "to": data.until}
    entity = mlflow.entities.Dataset(
        name=data.name,
        digest=data.digest,
        source_type="nba-store",
        source=json.dumps({"store": data.source}),
        profile=json.dumps(profile),
    )
    tag = mlflow.entities.InputTag("mlflow.data.context", "training")
    return mlflow.entities.DatasetInput(entity, [tag])


def log_file(client: Any, run_id: str, name: str, content: bytes, folder: str | None) -> None:
    """Store bytes as an artifact of a run."""
    with tempfile.TemporaryDirectory() as parent:
        path = Path(parent) / name
        path.write_bytes(content)
        client.log_artifact(run_id, str(path), folder)


def report_of(client: Any, run_id: str) -> dict[str, Any] | None:
    """Return the report that a run was logged with; None where it has none."""
    if REPORT not in [artifact.path for artifact in client.list_artifacts(run_id)]:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = client.download_artifacts(run_id, REPORT, folder)
        return dict(json.loads(Path(path).read_text(encoding="utf-8")))


def log_model(mlflow: Any, bundle_folder: Path, manifest: Mapping[str, Any]) -> Any:
    """Log the bundle inside the thin model that MLflow's own tools load."""
    with tempfile.TemporaryDirectory() as parent:
        # An artifact is stored under its folder's own name, and that shall always be the same.
        copy = shutil.copytree(bundle_folder, Path(parent) / "bundle")
        return mlflow.pyfunc.log_model(
            name="bundle",
            python_model=str(Path(__file__).parents[1] / "pyfunc_model.py"),
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
    """Only what comes out, and the moment: MLflow would drop every column that a schema of inputs does not name.

    Rows are touchpoints with any properties, or features; what is missing the model itself says better.
    """
    types = mlflow.types
    columns = [types.ColSpec("double", f"p_{goal}") for goal in manifest["propensities"]]
    moment = types.ParamSchema([types.ParamSpec("as_of", "string", "")])
    # MLflow knows no schema without columns, and a training that made no model has none.
    return mlflow.models.ModelSignature(outputs=types.Schema(columns) if columns else None, params=moment)
