"""The registry: bundles published to MLflow, and which of them serves. The only importer of MLflow."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from features.errors import UserError
from models.bundle import BundleError, read_signed
from models.run_content import bundle_in, log_file, log_model, logged

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
REPORT = "report.json"

# What would call out, ask pip, or copy a lock file of the working directory; and pickles are refused even
# where somebody put one in the store.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
# MLflow's own patience with a server that is away is minutes.
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}


class RegistryError(UserError):
    """What MLflow would not do, with its reason."""


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

    def publish(
        self,
        bundle_folder: Path,
        *,
        params: Mapping[str, object],
        metrics: Mapping[str, float],
        report: Mapping[str, Any],
        plots: Mapping[str, bytes],
        tags: Mapping[str, str],
    ) -> str:
        """Log a training run with its bundle, register this as a version, and make it the challenger.

        The alias is set last: whoever is stopped on the way leaves a run without effect.

        Parameters
        ----------
        bundle_folder
            A saved bundle.
        params, metrics
            Of the run; metrics must be finite.
        report
            JSON-able; stored as ``report.json`` with ``bundle`` (version and hash) filled in.
        plots
            File name to PNG.
        tags
            Of the version, beside ``bundle_sha256`` and ``schema_version``.

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
        version_tags = {**tags, "bundle_sha256": sha256, "schema_version": str(manifest["schema"])}
        with self._mlflow() as mlflow:
            mlflow.set_tracking_uri(self.tracking_uri)
            client = self._client(mlflow)
            experiment = self._experiment(client)
            with mlflow.start_run(experiment_id=experiment, run_name=sha256[:12], tags=version_tags) as run:
                client.log_batch(run.info.run_id, **logged(mlflow, params, metrics))
                for name, png in plots.items():
                    log_file(client, run.info.run_id, f"{name.removesuffix('.png')}.png", png, "plots")
                model = log_model(mlflow, bundle_folder, manifest)
                version = self._register(mlflow, client, model, run.info.run_id, version_tags)
                full = {**report, "bundle": {"version": version, "sha256": sha256}}
                content = json.dumps(full, allow_nan=False, ensure_ascii=False, indent=1).encode()
                log_file(client, run.info.run_id, REPORT, content, None)
            client.set_registered_model_alias(self.model_name, CHALLENGER, version)
        return version

    def promote(self, version: str, reason: str, by: str) -> None:
        """Make a version the champion and keep the one before as ``previous``.

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
            self._explain(client, version, "promoted_by", by, reason)
            # In this order a stop in between leaves the old champion serving.
            if before is not None:
                client.set_registered_model_alias(self.model_name, PREVIOUS, before.version)
            client.set_registered_model_alias(self.model_name, CHAMPION, version)

    def rollback(self, reason: str, by: str) -> str:
        """Let the previous champion serve again; the one it replaces becomes ``previous``.

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
            self._explain(client, before.version, "promoted_by", by, reason)
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
                found = bundle_in(part, version)
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
            for version in versions:
                names = [artifact.path for artifact in client.list_artifacts(version.run_id)]
                if REPORT in names:
                    with tempfile.TemporaryDirectory() as folder:
                        path = client.download_artifacts(version.run_id, REPORT, folder)
                        return dict(json.loads(Path(path).read_text(encoding="utf-8")))
        return None

    @contextmanager
    def _mlflow(self) -> Iterator[Any]:
        """MLflow, quiet and offline; what it raises becomes one sentence."""
        tracking_before = os.environ.get("MLFLOW_TRACKING_URI")
        os.environ.update(_ENVIRONMENT)
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        with warnings.catch_warnings():
            # Notices of MLflow and what it imports to their own developers: nobody here can act on them.
            warnings.simplefilter("ignore")
            import mlflow

            logging.getLogger("mlflow").setLevel(logging.ERROR)
            # Downloads by model name ask the registry that is set for the process, whatever they are given.
            mlflow.set_tracking_uri(self.tracking_uri)
            mlflow.set_registry_uri(self.tracking_uri)
            faults = (mlflow.exceptions.MlflowException, OSError)
            try:
                yield mlflow
            except faults as fault:
                shown = _shown(self.tracking_uri)
                reason = str(fault).strip().replace(self.tracking_uri, shown).partition("\n")[0][:300]
                raise RegistryError(f"MLflow at {shown} failed: {reason}") from fault
            finally:
                # MLflow writes the URI it uses into the environment, where our settings would obey it.
                os.environ.pop("MLFLOW_TRACKING_URI", None)
                if tracking_before is not None:
                    os.environ["MLFLOW_TRACKING_URI"] = tracking_before

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
            # A missing alias is an invalid parameter to MLflow, a missing model a missing resource.
            if fault.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise

    def _version(self, mlflow: Any, client: Any, version: str) -> Any:
        try:
            return client.get_model_version(self.model_name, version)
        except mlflow.exceptions.MlflowException as fault:
            if fault.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise RegistryError(f"the model {self.model_name!r} has no version {version!r}") from fault
            raise

    def _explain(self, client: Any, version: str, tag: str, by: str, reason: str) -> None:
        client.set_model_version_tag(self.model_name, version, tag, by)
        client.set_model_version_tag(self.model_name, version, "reason", reason)


def _shown(uri: str) -> str:
    """Name a tracking URI without the password it may carry."""
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
