"""The registry: bundles published to MLflow, and which of them serves. The only importer of MLflow, with its parts."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from models.bundle import BundleError, read_signed
from models.registry import run_content
from models.registry.run_content import REPORT
from models.registry.session import RegistryError, is_missing, session
from models.registry.training_run import COMMIT, PastTraining, TrainingRun

__all__ = ["CHALLENGER", "CHAMPION", "PREVIOUS", "REPORT", "Registry", "RegistryError"]

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"


class Registry:
    """One registered model and its versions.

    Parameters
    ----------
    tracking_uri
        Any MLflow tracking URI.
    model_name
        Of the registered model; the experiment has the same name.
    artifact_root
        Folder for artifacts where the tracking URI is a local database; a server has its own.
    """

    def __init__(self, tracking_uri: str, model_name: str, artifact_root: Path) -> None:
        self.tracking_uri = tracking_uri
        self.model_name = model_name
        self.artifact_root = artifact_root

    def publish(self, bundle_folder: Path, training: TrainingRun) -> str:
        """Log a training run with its bundle, register this as a version, and make it the challenger.

        The alias is set last: whoever is stopped on the way leaves a run without effect.

        Parameters
        ----------
        bundle_folder
            A saved bundle.
        training
            What there is to say of it.

        Returns
        -------
        The version.

        Raises
        ------
        BundleError
            Where the bundle is not what was signed.
        RegistryError
            Where MLflow cannot be reached or refuses.
        """
        manifest, sha256, _ = read_signed(bundle_folder)
        tags = {**training.tags, "bundle_sha256": sha256, "schema_version": str(manifest["schema"])}
        with self._mlflow() as mlflow:
            client = self._client(mlflow)
            experiment = self._experiment(client)
            # What MLflow finds out about code by itself is about the folder one happens to stand in.
            source = {"mlflow.source.type": "PROJECT", "mlflow.source.name": "nba train run", COMMIT: ""}
            with mlflow.start_run(
                experiment_id=experiment, run_name=sha256[:12], tags={**source, **tags}, log_system_metrics=False
            ) as run:
                version = self._fill(mlflow, client, run.info.run_id, bundle_folder, training, tags)
            client.set_registered_model_alias(self.model_name, CHALLENGER, version)
        return version

    def _fill(
        self, mlflow: Any, client: Any, run_id: str, folder: Path, training: TrainingRun, tags: dict[str, str]
    ) -> str:
        """Log all there is to a run that was begun; returns the version that was registered."""
        manifest, sha256, _ = read_signed(folder)
        client.log_batch(run_id, params=run_content.params(mlflow, training))
        if training.data is not None:
            client.log_inputs(run_id, [run_content.dataset(mlflow, training.data)])
        for name, png in training.plots.items():
            run_content.log_file(client, run_id, f"{name.removesuffix('.png')}.png", png, "plots")
        model = run_content.log_model(mlflow, folder, manifest)
        client.log_batch(run_id, metrics=run_content.metrics(mlflow, training, model))
        version = self._register(mlflow, client, model, run_id, tags)
        full = {**training.report, "bundle": {"version": version, "sha256": sha256}}
        content = json.dumps(full, allow_nan=False, ensure_ascii=False, indent=1).encode()
        run_content.log_file(client, run_id, REPORT, content, None)
        return version

    def promote(self, version: str, reason: str, by: str, audit: str = "") -> None:
        """Make a version the champion and keep the one before as ``previous``.

        Parameters
        ----------
        version
            As it was published.
        reason, by
            Why, and whose doing; kept with the version.
        audit
            Hash of the audit log's entry about it, kept with the version too: it ties the log's end to something
            outside of the log.

        Raises
        ------
        RegistryError
            Where there is no such version, no reason is given or MLflow refuses.
        """
        if not reason.strip():
            raise RegistryError("a promotion needs a reason; say why this version shall serve")
        with self._mlflow() as mlflow:
            client = self._client(mlflow)
            self._version(mlflow, client, version)
            before = self._alias(mlflow, client, CHAMPION)
            if before is not None and str(before.version) == version:
                return
            self._explain(client, version, promoted_by=by, reason=reason, audit=audit)
            # In this order a stop in between leaves the old champion serving.
            if before is not None:
                client.set_registered_model_alias(self.model_name, PREVIOUS, before.version)
            client.set_registered_model_alias(self.model_name, CHAMPION, version)

    def rollback(self, reason: str, by: str, audit: str = "") -> str:
        """Let the previous champion serve again; the one it replaces becomes ``previous``.

        Parameters
        ----------
        reason, by, audit
            As for ``promote``.

        Returns
        -------
        The version that serves now.

        Raises
        ------
        RegistryError
            Where there is none to go back to.
        """
        if not reason.strip():
            raise RegistryError("a rollback needs a reason; say why the champion shall not serve")
        with self._mlflow() as mlflow:
            client = self._client(mlflow)
            now, before = (self._alias(mlflow, client, alias) for alias in (CHAMPION, PREVIOUS))
            if before is None or now is None or before.version == now.version:
                raise RegistryError(f"the model {self.model_name!r} has no version before the champion to go back to")
            self._explain(client, before.version, promoted_by=by, reason=reason, audit=audit)
            self._explain(client, now.version, replaced_by=by, replaced_because=reason)
            client.set_registered_model_alias(self.model_name, CHAMPION, before.version)
            client.set_registered_model_alias(self.model_name, PREVIOUS, now.version)
        return str(before.version)

    def champion(self) -> tuple[str, str] | None:
        """Version that serves and the SHA-256 of its bundle; None where there is none yet."""
        return self.aliased(CHAMPION)

    def aliased(self, alias: str) -> tuple[str, str] | None:
        """Version with an alias and the SHA-256 of its bundle; None where there is none."""
        with self._mlflow() as mlflow:
            found = self._alias(mlflow, self._client(mlflow), alias)
        return None if found is None else (str(found.version), str(found.tags.get("bundle_sha256", "")))

    def fetch(self, version: str, destination: Path) -> Path:
        """Copy a version's bundle to ``destination``, whole and checked, or not at all.

        Raises
        ------
        BundleError
            Where what arrives is not what was published.
        RegistryError
            Where there is no such version or MLflow refuses.
        """
        with self._mlflow() as mlflow:
            expected = str(self._version(mlflow, self._client(mlflow), version).tags.get("bundle_sha256", ""))
            if destination.exists() and read_signed(destination)[1] == expected:
                return destination
            destination.parent.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=".fetch-", dir=destination.parent))
            try:
                uri = f"models:/{quote(self.model_name)}/{version}"
                mlflow.artifacts.download_artifacts(
                    artifact_uri=uri, dst_path=str(part), tracking_uri=self.tracking_uri
                )
                found = run_content.bundle_in(part, version)
                if read_signed(found)[1] != expected:
                    raise BundleError(f"the bundle of version {version} is not the one that was published; retrain")
                if destination.exists():
                    raise BundleError(f"{destination} exists and is not version {version}; remove it")
                found.rename(destination)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return destination

    def last_report(self) -> dict[str, Any] | None:
        """Report of the newest version; None where nothing was published yet."""
        with self._mlflow() as mlflow:
            client = self._client(mlflow)
            versions = client.search_model_versions(
                f"name = '{self.model_name}'", max_results=20, order_by=["version_number DESC"]
            )
            reports = (run_content.report_of(client, each.run_id) for each in versions)
            return next((found for found in reports if found is not None), None)

    def report(self, version: str) -> dict[str, Any] | None:
        """Return the report of one version; None where its run has none."""
        with self._mlflow() as mlflow:
            client = self._client(mlflow)
            return run_content.report_of(client, self._version(mlflow, client, version).run_id)

    def trainings(self, most: int) -> list[PastTraining]:
        """Return the newest versions with what came of them, newest first."""
        with self._mlflow() as mlflow:
            client = self._client(mlflow)
            versions = client.search_model_versions(
                f"name = '{self.model_name}'", max_results=most, order_by=["version_number DESC"]
            )
            aliases = client.get_registered_model(self.model_name).aliases if versions else {}
            return [self._past(client, found, aliases) for found in versions]

    def training(self, version: str) -> PastTraining:
        """Return one version with what came of it.

        Raises
        ------
        RegistryError
            Where there is no such version.
        """
        with self._mlflow() as mlflow:
            client = self._client(mlflow)
            found = self._version(mlflow, client, version)
            return self._past(client, found, client.get_registered_model(self.model_name).aliases)

    def _past(self, client: Any, found: Any, aliases: dict[str, str]) -> PastTraining:
        run = client.get_run(found.run_id)
        logged = next(iter(run.data.metrics), None)
        step = client.get_metric_history(found.run_id, logged)[-1].step if logged else None
        named = sorted(alias for alias, version in aliases.items() if str(version) == str(found.version))
        named_run = run.info.experiment_id, run.info.run_id
        return PastTraining(
            str(found.version), tuple(named), step, dict(found.tags), dict(run.data.metrics), *named_run
        )

    @contextmanager
    def _mlflow(self) -> Iterator[Any]:
        with session(self.tracking_uri) as mlflow:
            yield mlflow

    def _client(self, mlflow: Any) -> Any:
        return mlflow.MlflowClient(tracking_uri=self.tracking_uri, registry_uri=self.tracking_uri)

    def _experiment(self, client: Any) -> str:
        found = client.get_experiment_by_name(self.model_name)
        if found is not None and found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        if found is not None:
            return str(found.experiment_id)
        local = self.tracking_uri.startswith(("sqlite:", "postgresql", "mysql", "mssql"))
        location = self.artifact_root.resolve().as_uri() if local else None
        return str(client.create_experiment(self.model_name, artifact_location=location))

    def _register(self, mlflow: Any, client: Any, model: Any, run_id: str, tags: dict[str, str]) -> str:
        try:
            client.get_registered_model(self.model_name)
        except mlflow.exceptions.MlflowException as fault:
            if fault.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            client.create_registered_model(self.model_name)
        made = client.create_model_version(
            self.model_name, f"models:/{model.model_id}", run_id, tags=tags, model_id=model.model_id
        )
        return str(made.version)

    def _alias(self, mlflow: Any, client: Any, alias: str) -> Any:
        try:
            return client.get_model_version_by_alias(self.model_name, alias)
        except mlflow.exceptions.MlflowException as fault:
            if is_missing(fault):
                return None
            raise

    def _version(self, mlflow: Any, client: Any, version: str) -> Any:
        try:
            return client.get_model_version(self.model_name, version)
        except mlflow.exceptions.MlflowException as fault:
            if is_missing(fault):
                raise RegistryError(f"the model {self.model_name!r} has no version {version!r}") from fault
            raise

    def _explain(self, client: Any, version: str, **tags: str) -> None:
        for name, value in tags.items():
            if value:
                client.set_model_version_tag(self.model_name, version, name, value[:4000])
