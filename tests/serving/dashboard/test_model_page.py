"""Model: champion, challenger and data quality as the API and the views tell them, in both languages, as text."""

import json

from features.feature_set import FeatureSet
from features.store.read_view import read_view
from models.bundle import Bundle
from models.kept import Kept
from models.local import FOLDER, STANDING, install
from tests.serving.dashboard.counted import EVIL, lived
from tests.serving.dashboard.test_actions_page import ALL, read
from tests.serving.dashboard.test_signing_in import KEY, with_key

WHO = {"model": 0.861, "points": 0.721, "recency": 0.734, "frequency": 0.751, "abc": 0.537, "logistic": 0.769}
POLICIES = {
    "serves": "points",
    "evidence": "randomised",
    "why": "no gain yet",
    "estimates": {"points": {"value": 28.66, "interval": [23.63, 33.69]}, "learned": {"value": 30.1, "interval": None}},
    "gain_over_best_simple": {"value": 1.44, "interval": [-0.5, 3.4], "best_simple": "points"},
}
MANIFEST = {
    "created_at": "2025-11-20T10:00:00Z",
    "features": FeatureSet(kinds=(), channels=(), topics=()).to_json(),
    "goals": {},
    "policies": POLICIES,
}


def report(**more):
    goal = {
        "train": {"rows": 100, "positives": 10, "from": "2025-01-01T00:00:00Z", "to": "2025-06-01T00:00:00Z"},
        "test": {
            "rows": 50, "positives": 8, "from": "2025-07-01T00:00:00Z", "to": "2025-08-01T00:00:00Z",
            "mean_prediction": 0.157,
        },
        "metrics": {who: {"auc": auc, "auc_interval": [auc - 0.02, auc + 0.02]} for who, auc in WHO.items()},
        "calibration": "isotonic",
        "reliability": [[25.0, 0.05, 0.04], [25.0, 0.263, 0.28]],
        "warnings": [f"trait {EVIL} alone reaches AUC 0.97"],
        "drift": {"in_data": {"level": "moved", "sentence": "x", "moved": 3, "moved_far": 1, "of": 40}},
    }  # fmt: skip
    return {"goals": {"conversion": goal}, "policies": POLICIES, "effects": {}, "verdict": {"reasons": []}, **more}


def told(version, sha256, **more):
    return {
        "version": version, "sha256": sha256, "promoted_by": "ann", "reason": "better", "experiment_id": "7",
        "run_id": "abc", "report": report(**more),
    }  # fmt: skip


def serving(local, challenger=True):
    """Install a bundle, and what the registry says of it."""
    folder = local.settings.folder
    sha256 = Bundle(MANIFEST).save(folder / "made").sha256
    install(folder, folder / "made", "3", sha256)
    wants = told("4", "f" * 64, verdict={"reasons": [f"conversion: {EVIL}"]}) if challenger else None
    standing = {"champion": told("3", sha256), "challenger": wants}
    Kept(folder / FOLDER / STANDING).put(standing)
    return with_key(local, scopes=ALL), standing


def test_figures_of_champion_and_challenger_are_those_of_the_api(local_with):
    local, standing = serving(local_with("[mlflow]\ntracking_uri = 'https://mlflow.example.org/'\n"))

    async def journey(client):
        api = (await read(client, "/v1/model")).json()
        return api, (await read(client, "/model")).text, (await read(client, "/model", "de")).text

    api, english, german = local.run(journey)
    assert api["version"] == "3" and api["standing"] == json.loads(json.dumps(standing))
    for auc in WHO.values():
        assert f"{auc:.3f}" in english and f"{auc:.3f}".replace(".", ",") in german
    # Calibration: as a picture and as the table of its figures.
    assert "26.3%" in english and "28.0%" in english and "26,3\u00a0%" in german
    assert "+1.44" in english and "−0.50 – 3.40" in english and "The gain is not certain" in english
    # What has no interval has a dash for it, not a dash from nothing to nothing.
    assert "30.10" in english and "– – –" not in english
    assert "Version 4" in english and "nba train promote 4" in english
    assert "4 of 40 features have moved" in english and "4 von 40 Merkmalen" in german
    assert 'href="https://mlflow.example.org/#/experiments/7/runs/abc"' in english
    for page in (english, german):
        assert "<script>alert" not in page and "<img src=x" not in page and "&lt;script&gt;" in page


def test_a_registry_in_a_file_is_never_linked(local_with):
    local, _ = serving(local_with(""), challenger=False)

    async def journey(client):
        return (await read(client, "/model")).text

    page = local.run(journey)
    assert "mlflow.db" not in page and "MLflow" not in page
    assert "the newest training is the champion" in page


def test_without_a_model_the_page_says_how_to_get_one(local):
    async def journey(client):
        return [(await read(client, "/model", language)).text for language in ("en", "de")]

    english, german = with_key(local).run(journey)
    assert "No model yet" in english and "Noch kein Modell" in german
    assert "<code>nba train run</code>" in english and 'href="/first-steps"' in german


def test_data_quality_is_that_of_the_view_and_is_text(local):
    with_key(local, scopes=ALL)

    async def journey(client):
        client.headers["authorization"] = f"Bearer {KEY}"
        counted = await lived(client, local)
        return counted, read_view(local.service.store, "v_data_quality"), (await read(client, "/model")).text

    counted, view, page = local.run(journey)
    total: dict[tuple[str, str], int] = {}
    for row in view:
        total[row["finding"], row["subject"]] = total.get((row["finding"], row["subject"]), 0) + row["row_count"]
    assert {(row["finding"], row["subject"]): row["rows"] for row in counted["quality"]} == total
    assert sum(n for (finding, _), n in total.items() if finding == "quarantined") == 1
    assert "Quarantined: 1" in page
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page
    assert "not in the settings" in page
