"""The demo, whole: real data, from baskets to recommendations over HTTP."""

import json
import subprocess
import sys

import pytest

from models.registry.registry import Registry

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(demo_made):
    report = subprocess.run(
        [sys.executable, "-m", "nba.cli", "train", "report", "--json"],
        cwd=demo_made.folder,
        capture_output=True,
        text=True,
    )
    return demo_made.folder, demo_made.done, json.loads(report.stdout)


def test_predictions_beat_the_rules(demo):
    _, _, report = demo
    redemption, churn = (report["goals"][name]["metrics"] for name in ("conversion", "churn"))
    assert redemption["model"]["auc"] >= 0.80
    assert churn["model"]["auc"] >= 0.84
    for metrics in (redemption, churn):
        assert metrics["model"]["ece"] <= 0.04
        assert metrics["model"]["auc"] > max(metrics[name]["auc"] for name in ("points", "recency", "frequency", "abc"))


def test_what_ended_after_the_data_is_censored_and_what_came_before_them_is_no_row(demo):
    _, _, report = demo
    conversion = report["goals"]["conversion"]
    # Campaigns 15 and 20-23 were sent to 17 + 244 + 65 + 276 + 183 households.
    assert conversion["censored"] == 785
    assert conversion["train"]["from"] >= "2017-01-01"
    assert conversion["test"] == conversion["test"] | {"rows": 1877, "positives": 284}


def test_it_says_that_response_is_not_effect(demo):
    _, done, report = demo
    assert report["policies"]["evidence"] == "observational"
    assert "response is not effect" in report["policies"]["why"]
    assert "not effects" in done.stdout
    assert "censored" in done.stdout


def test_the_champion_is_in_the_registry(demo):
    folder, _, report = demo
    registry = Registry(f"sqlite:///{folder / 'mlflow.db'}", "nba", folder / "mlartifacts")
    assert registry.champion() == (report["bundle"]["version"], report["bundle"]["sha256"])


def test_five_households_are_answered_over_http(demo):
    _, done, _ = demo
    assert done.stdout.count("\nhousehold:") == 5
    assert "model version" in done.stdout
