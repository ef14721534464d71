"""With a tracking server in a process of its own everything goes as with the embedded one, artifacts through it too."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from features.store import audit
from features.store.store import Store
from models.bundle import Bundle, BundleError, read_signed
from models.local import local_champion, read_champion
from models.registry.registry import Registry
from serving.sync import Sync
from tests.journeys.mlflow_process import MlflowProcess
from tests.models.registry_bundles import made_bundle, publish

pytestmark = pytest.mark.slow


@pytest.fixture
def tracking(tmp_path, empty_mlflow):
    """A tracking server that keeps artifacts itself."""
    folder = tmp_path / "server"
    folder.mkdir()
    shutil.copy(empty_mlflow, folder / "mlflow.db")
    words = ["server", "--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    with MlflowProcess([*words, "--artifacts-destination", str(folder / "kept")], folder, "/health") as running:
        yield running


def nba(folder: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "nba.cli", *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_publish_promote_fetch_sync_and_roll_back(tmp_path, tracking):
    first, second = made_bundle(tmp_path / "first"), made_bundle(tmp_path / "second", seed=1)
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "nba.toml").write_text(f'[mlflow]\ntracking_uri = "{tracking.address}"\n')
    registry = Registry(tracking.address, "nba", shop / "mlartifacts")
    assert registry.champion() is None
    assert [publish(registry, bundle) for bundle in (first, second)] == ["1", "2"]

    # The artifacts are the server's, none are this machine's.
    assert not (shop / "mlartifacts").exists()
    kept = [path.name for path in (tmp_path / "server" / "kept").rglob("*") if path.is_file()]
    assert {"manifest.json", "golden.json", "report.json", "conversion-lift.png"} <= set(kept)

    assert nba(shop, "train", "promote", "1", "--reason", "first") == "version 1 of model 'nba' is the champion\n"
    nba(shop, "train", "promote", "2", "--reason", "better")
    shown = nba(shop, "train", "report", "--last", "5")
    assert [line.split()[0] for line in shown.splitlines()[2:]] == ["2", "1"]
    assert "champion" in shown and "previous" in shown
    assert json.loads(nba(shop, "train", "report", "--json"))["bundle"]["version"] == "2"

    # The service's child brings the champion to another machine, and follows when it changes.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    sync = Sync(Registry(tracking.address, "nba", elsewhere / "mlartifacts"), elsewhere)
    assert sync.look() == {"state": "up to date", "version": "2"}
    found = local_champion(elsewhere)
    assert found is not None and Bundle.load(found[0]).sha256 == read_signed(second)[1]
    nba(shop, "train", "rollback", "--reason", "too many calls")
    assert sync.look() == {"state": "up to date", "version": "1"}
    assert read_champion(elsewhere) == read_champion(shop) == ("1", read_signed(first)[1])

    # What was changed on the server is refused, and the champion stays.
    (changed,) = [
        path
        for path in (tmp_path / "server" / "kept").rglob("golden.json")
        if path.read_bytes() == (second / "golden.json").read_bytes()
    ]
    changed.write_bytes(changed.read_bytes()[:-1])
    with pytest.raises(BundleError, match=r"golden\.json .* was changed after it was signed"):
        registry.fetch("2", tmp_path / "fetched")
    registry.promote("2", "by mistake", "me")
    assert sync.look()["state"] == "refused"
    assert read_champion(elsewhere) == ("1", read_signed(first)[1])

    with Store.open(f"sqlite:///{shop}/nba.db") as store:
        rows = list(store.audit_rows())
    assert audit.check(rows).fault is None
    assert [(row.what, row.subject, row.reason) for row in rows] == [
        ("promotion", "version 1 of nba", "first"),
        ("promotion", "version 2 of nba", "better"),
        ("rollback", "version 1 of nba", "too many calls"),
    ]
    tracking.stop()
    assert sync.look()["state"] == "registry away"
    assert local_champion(elsewhere) is not None


def test_a_training_publishes_to_a_tracking_server(shop, tracking):
    nba(shop, "load", "touchpoints", "touchpoints.csv")
    # One goal is enough, and of the two the one that is easy to learn.
    one_goal = re.sub(r"\[goals\.churn\]\n(?:[^\[].*\n)+", "", (shop / "nba.toml").read_text())
    (shop / "nba.toml").write_text(one_goal + f'[mlflow]\ntracking_uri = "{tracking.address}"\n')
    nba(shop, "train", "run", "--json", "report.json")
    report = json.loads((shop / "report.json").read_text())
    assert report["verdict"]["promote"], report["verdict"]
    registry = Registry(tracking.address, "nba", shop / "mlartifacts")
    assert registry.champion() == (report["bundle"]["version"], report["bundle"]["sha256"])
    assert json.loads(nba(shop, "train", "report", "--json")) == report
    with registry._mlflow() as mlflow:
        client = registry._client(mlflow)
        run = client.get_run(client.get_model_version("nba", "1").run_id)
        plots = {artifact.path for artifact in client.list_artifacts(run.info.run_id, "plots")}
    (used,) = run.inputs.dataset_inputs
    assert json.loads(used.dataset.profile)["touchpoints"] == report["data"]["touchpoints"]
    assert {"plots/conversion-calibration.png", "plots/conversion-lift.png"} <= plots
    assert run.data.tags["code_version"].startswith("nba-service")
    assert run.data.tags["validation"] == "passed"
    assert run.data.metrics["conversion.model.auc"] == report["goals"]["conversion"]["metrics"]["model"]["auc"]
    with Store.open(f"sqlite:///{shop}/nba.db") as store:
        (entry,) = store.audit_rows()
    assert (entry.by, entry.what, entry.reason) == (
        "nba train run",
        "promotion",
        "; ".join(report["verdict"]["reasons"]),
    )
