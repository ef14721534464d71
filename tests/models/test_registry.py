"""Claims about the registry, on a real MLflow: versions, aliases, reports, and what a kill leaves behind."""

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from models.bundle import SCHEMA, Bundle, BundleError
from models.registry.registry import Registry, RegistryError
from models.registry.training_run import COMMIT
from models.seal import BLANK, sealed
from tests.models.registry_bundles import DATA, FEATURES, made_bundle, publish, training


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_bundle(tmp_path_factory.mktemp("made") / "candidate")


@pytest.fixture
def registry(empty_mlflow, tmp_path) -> Registry:
    shutil.copy(empty_mlflow, tmp_path / "mlflow.db")
    return Registry(f"sqlite:///{tmp_path}/mlflow.db", "nba", tmp_path / "mlartifacts")


def sha256(bundle: Path) -> str:
    return hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()


def test_an_empty_registry_has_nothing_and_says_so(registry):
    assert registry.champion() is None
    assert registry.aliased("challenger") is None
    assert registry.last_report() is None
    with pytest.raises(RegistryError, match="no version '1'"):
        registry.promote("1", "because", "me")
    with pytest.raises(RegistryError, match="no version '1'"):
        registry.fetch("1", Path("nowhere"))
    with pytest.raises(RegistryError, match="go back"):
        registry.rollback("because", "me")


def test_a_published_bundle_challenges_and_serves_only_when_promoted(registry, bundle, tmp_path):
    assert publish(registry, bundle) == "1"
    assert registry.aliased("challenger") == ("1", sha256(bundle))
    assert registry.champion() is None
    registry.promote("1", "first", "gate")
    assert registry.champion() == ("1", sha256(bundle))
    fetched = registry.fetch("1", tmp_path / "local" / "1")
    assert Bundle.load(fetched).sha256 == sha256(bundle)
    assert registry.fetch("1", fetched) == fetched
    assert [path.name for path in fetched.parent.iterdir()] == ["1"]


def test_promotion_keeps_the_previous_champion_and_rollback_swaps_them(registry, bundle):
    for _ in range(3):
        publish(registry, bundle)
    registry.promote("1", "first", "gate")
    assert registry.aliased("previous") is None
    registry.promote("2", "better", "gate")
    registry.promote("2", "again", "gate")
    assert registry.aliased("previous") == ("1", sha256(bundle))
    assert registry.rollback("worse calls", "me") == "1"
    assert (registry.champion()[0], registry.aliased("previous")[0], registry.aliased("challenger")[0]) == (
        "1",
        "2",
        "3",
    )
    with pytest.raises(RegistryError, match="'9'"):
        registry.promote("9", "typo", "me")
    assert registry.champion()[0] == "1"


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_change_without_a_reason_is_refused(registry, reason):
    with pytest.raises(RegistryError, match="reason"):
        registry.promote("1", reason, "me")
    with pytest.raises(RegistryError, match="reason"):
        registry.rollback(reason, "me")


def test_the_run_the_version_and_the_report_say_everything(registry, bundle):
    publish(registry, bundle, note="older")
    publish(registry, bundle, note="newer")
    registry.promote("2", "better by .02", "gate")
    assert registry.last_report() == {
        "data": {"touchpoints": 12},
        "note": "newer",
        "bundle": {"version": "2", "sha256": sha256(bundle)},
    }
    with registry._mlflow() as mlflow:
        client = registry._client(mlflow)
        version = client.get_model_version("nba", "2")
        run = client.get_run(version.run_id)
        artifacts = {a.path for a in client.list_artifacts(version.run_id)}
        plots = {a.path for a in client.list_artifacts(version.run_id, "plots")}
        location = client.get_experiment_by_name("nba").artifact_location
    assert version.tags == {
        "bundle_sha256": sha256(bundle),
        "schema_version": str(SCHEMA),
        "trained_through": "2026-11-21T00:00:00Z",
        "validation": "passed",
        "promoted_by": "gate",
        "reason": "better by .02",
    }
    assert run.data.metrics == {"conversion.model.auc": 0.75}
    assert run.data.params == {"goals": "conversion"}
    assert run.info.status == "FINISHED"
    assert "report.json" in artifacts
    assert plots == {"plots/conversion-lift.png"}
    assert location == registry.artifact_root.as_uri()


def test_a_bundle_that_was_changed_is_never_published(registry, bundle, tmp_path):
    changed = Path(shutil.copytree(bundle, tmp_path / "changed"))
    (changed / "golden.json").write_text("{}")
    with pytest.raises(BundleError, match=r"golden\.json"):
        publish(registry, changed)
    assert registry.aliased("challenger") is None


def test_an_artifact_that_was_changed_in_the_store_is_never_fetched(registry, bundle, tmp_path):
    publish(registry, bundle)
    (stored,) = registry.artifact_root.rglob("manifest.json")
    manifest = json.loads(stored.read_text()) | {"goals": {}}
    stored.write_bytes(sealed(json.dumps(manifest | {"seal": BLANK}).encode()))
    with pytest.raises(BundleError, match="not the one that was published"):
        registry.fetch("1", tmp_path / "local" / "1")
    assert list((tmp_path / "local").iterdir()) == []


@pytest.mark.parametrize("uri", ["sqlite:////dev/null/mlflow.db", "magic://x", "http://user:secret@127.0.0.1:9"])
def test_a_store_that_cannot_be_reached_is_named_without_its_password(uri, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RegistryError) as refusal:
        Registry(uri, "nba", tmp_path).champion()
    assert "MLflow at" in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_the_environment_that_settings_read_is_left_alone(registry, bundle, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    publish(registry, bundle)
    assert "MLFLOW_TRACKING_URI" not in os.environ
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mine.db")
    registry.champion()
    assert os.environ["MLFLOW_TRACKING_URI"] == "sqlite:///mine.db"


def test_a_metrics_way_over_the_trainings_is_readable_in_mlflow_and_here(registry, bundle):
    for day, auc in ((20_000, 0.71), (20_007, 0.74), (20_014, 0.73)):
        publish(registry, bundle, auc=auc, day=day)
    registry.promote("2", "better", "gate")
    found = registry.trainings(2)
    assert [(each.version, each.step, each.aliases) for each in found] == [
        ("3", 20_014, ("challenger",)),
        ("2", 20_007, ("champion",)),
    ]
    assert found[1].metrics == {"conversion.model.auc": 0.74}
    assert registry.training("1").tags["validation"] == "passed"
    with registry._mlflow() as mlflow:
        runs = mlflow.search_runs(experiment_names=["nba"], order_by=["attributes.start_time ASC"])
        client = registry._client(mlflow)
        points = [client.get_metric_history(run, "conversion.model.auc")[0] for run in runs["run_id"]]
    assert runs["metrics.conversion.model.auc"].tolist() == [0.71, 0.74, 0.73]
    assert [(point.step, point.timestamp) for point in points] == [
        (day, day * 86_400_000) for day in (20_000, 20_007, 20_014)
    ]


def test_a_run_says_which_data_and_which_code_it_came_from(registry, bundle):
    registry.publish(bundle, replace(training(), tags={"code_version": "nba-service 9", COMMIT: "abc"}))
    with registry._mlflow() as mlflow:
        client = registry._client(mlflow)
        run = client.get_run(client.get_model_version("nba", "1").run_id)
        (model,) = client.search_logged_models([run.info.experiment_id])
    (used,) = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == (DATA.name, DATA.digest)
    assert json.loads(used.dataset.source) == {"store": DATA.source}
    assert json.loads(used.dataset.profile) == {**DATA.counts, "from": DATA.since, "to": DATA.until}
    assert run.data.tags["code_version"] == "nba-service 9"
    assert run.data.tags[COMMIT] == "abc"
    assert (model.metrics[0].key, model.metrics[0].dataset_digest) == ("conversion.model.auc", DATA.digest)


def test_what_a_working_directory_is_a_repository_of_is_not_taken_for_the_codes_version(registry, bundle, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    publish(registry, bundle)
    with registry._mlflow() as mlflow:
        client = registry._client(mlflow)
        run = client.get_run(client.get_model_version("nba", "1").run_id)
    assert run.data.tags.get(COMMIT, "") == ""


def test_nothing_but_plain_data_is_published(registry, bundle):
    publish(registry, bundle)
    stored = [path for path in registry.artifact_root.rglob("*") if path.is_file()]
    assert {path.suffix for path in stored} <= {".json", ".txt", ".py", ".yaml", ".yml", ".png", ""}
    assert not any(path.read_bytes().startswith(b"\x80") for path in stored)
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"


def test_a_training_that_made_no_model_is_published_too(registry, tmp_path):
    manifest = {"features": FEATURES.to_json(), "goals": {}, "actions": {}, "policies": {"serves": "points"}}
    Bundle(manifest).save(tmp_path / "empty")
    version = registry.publish(tmp_path / "empty", training())
    folder = registry.fetch(version, tmp_path / "fetched")
    assert Bundle.load(folder).propensities == {}
