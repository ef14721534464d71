"""Claims about the registry, on a real MLflow: versions, aliases, reports, and what a kill leaves behind."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from features.times import DAY
from models.bundle import Bundle, BundleError
from models.propensity import Propensity
from models.registry import Registry, RegistryError

COLUMNS = ("a", "b")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2))
    y = (rng.random(600) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
    as_of = np.sort(rng.integers(0, 9, 600)) * 7 * DAY
    quick = {"learning_rate": 0.3, "num_leaves": 4}
    model = Propensity.fit(X, y, as_of, as_of + 7 * DAY, np.arange(600), columns=COLUMNS, params=quick)
    folder = tmp_path_factory.mktemp("made") / "candidate"
    Bundle({"goals": {"conversion": {}}}, {"conversion": model}).save(folder)
    return folder


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables, made once: making them takes seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    assert Registry(f"sqlite:///{folder}/mlflow.db", "nba", folder / "mlartifacts").champion() is None
    return folder / "mlflow.db"


@pytest.fixture
def registry(empty_database, tmp_path) -> Registry:
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return Registry(f"sqlite:///{tmp_path}/mlflow.db", "nba", tmp_path / "mlartifacts")


def publish(registry: Registry, bundle: Path, note: str = "") -> str:
    return registry.publish(
        bundle,
        params={"goals": "conversion"},
        metrics={"conversion.auc": 0.75},
        report={"data": {"touchpoints": 12}, "note": note},
        plots={"conversion-lift": b"\x89PNG"},
        tags={"trained_through": "2026-11-21T00:00:00Z", "validation": "passed"},
    )


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
        "schema_version": "1",
        "trained_through": "2026-11-21T00:00:00Z",
        "validation": "passed",
        "promoted_by": "gate",
        "reason": "better by .02",
    }
    assert run.data.metrics == {"conversion.auc": 0.75}
    assert run.data.params == {"goals": "conversion"}
    assert run.info.status == "FINISHED"
    assert "report.json" in artifacts
    assert plots == {"plots/conversion-lift.png"}
    assert location == registry.artifact_root.as_uri()


def test_mlflows_own_tools_score_with_it(registry, bundle):
    import pandas as pd

    publish(registry, bundle)
    X = np.random.default_rng(3).normal(size=(5, 2))
    rows = pd.DataFrame({"b": X[:, 1], "more": 1.0, "a": X[:, 0]})
    with registry._mlflow() as mlflow:
        mlflow.set_tracking_uri(registry.tracking_uri)
        loaded = mlflow.pyfunc.load_model("models:/nba/1")
        answer = loaded.predict(rows)
        with pytest.raises(Exception, match="lack the columns b"):
            loaded.predict(rows[["a"]])
    assert answer["p_conversion"].tolist() == Bundle.load(bundle).propensities["conversion"].predict(X).tolist()


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
    stored.write_text(json.dumps(manifest))
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


PUBLISH = """
import sys
from pathlib import Path
from models.registry import Registry
uri, root, bundle = sys.argv[1:]
registry = Registry(uri, "nba", Path(root))
registry.champion()
print("ready", flush=True)
registry.publish(Path(bundle), params={}, metrics={}, report={}, plots={}, tags={})
"""


def killed_while_publishing(registry: Registry, bundle: Path, after_seconds: float) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", PUBLISH, registry.tracking_uri, str(registry.artifact_root), str(bundle)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(after_seconds)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


def check_after_kill(registry: Registry, bundle: Path, destination: Path) -> None:
    assert registry.champion() == ("1", sha256(bundle))
    version = publish(registry, bundle)
    assert registry.aliased("challenger") == (version, sha256(bundle))
    registry.promote(version, "next run", "gate")
    assert Bundle.load(registry.fetch(version, destination)).propensities
    registry.rollback("test", "me")


def test_a_kill_while_publishing_leaves_the_champion_and_the_next_run_completes(registry, bundle, tmp_path):
    registry.promote(publish(registry, bundle), "first", "gate")
    killed_while_publishing(registry, bundle, 0.4)
    check_after_kill(registry, bundle, tmp_path / "fetched")


@pytest.mark.slow
def test_twenty_kills_while_publishing_leave_the_champion(registry, bundle, tmp_path):
    registry.promote(publish(registry, bundle), "first", "gate")
    rng = np.random.default_rng(0)
    for i in range(20):
        killed_while_publishing(registry, bundle, rng.uniform(0, 1.5))
        if i % 5 == 4:
            check_after_kill(registry, bundle, tmp_path / str(i))
