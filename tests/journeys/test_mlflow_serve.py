"""``mlflow models serve`` serves the champion: touchpoints and ready features, without network and without pickles."""

from typing import Any

import httpx
import numpy as np
import pytest

from features.matrix import History
from features.times import parse_time
from models.belief import Belief
from models.registry.registry import Registry
from models.touchpoint_scores import read_touchpoints
from tests.journeys.mlflow_process import MlflowProcess
from tests.models.registry_bundles import FEATURES, made_bundle, publish

pytestmark = pytest.mark.slow

AS_OF = "2026-03-01"
COLUMNS = ["identity", "occurred_at", "kind", "channel", "value"]
ROWS: list[list[Any]] = [
    ["crm:1", "2026-02-20T10:00:00Z", "visit", "web", None],
    ["crm:1", "2026-02-27T10:00:00Z", "order", "web", 80.0],
    ["crm:2", "2025-11-02", "visit", None, None],
    ["crm:3", "2026-03-01T00:00:01Z", "visit", None, None],
]


def test_mlflow_models_serve_answers_what_the_service_believes(tmp_path):
    bundle = made_bundle(tmp_path / "made", stages=True)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    registry = Registry(uri, "nba", tmp_path / "mlartifacts")
    registry.promote(publish(registry, bundle), "first", "gate")
    belief = Belief.load(bundle)
    touchpoints = read_touchpoints({name: [row[i] for row in ROWS] for i, name in enumerate(COLUMNS)}, belief.features)
    as_of = parse_time(AS_OF)
    estimates = [belief.estimate(touchpoints.only(code), {}, as_of, []) for code in range(3)]
    X = History(touchpoints, FEATURES).matrix(np.arange(3), np.full(3, as_of, dtype=np.int64))
    features = {"columns": list(FEATURES.columns), "data": [[None if x != x else x for x in row] for row in X.tolist()]}

    words = ["models", "serve", "--model-uri", "models:/nba@champion", "--env-manager", "local"]
    # Whatever wants to call out meets a proxy that is not there.
    environ = {"MLFLOW_TRACKING_URI": uri, "HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1"}
    with (
        MlflowProcess(words, tmp_path, "/ping", environ) as running,
        httpx.Client(base_url=running.address, trust_env=False, timeout=60) as client,
    ):
        asked = {"dataframe_split": {"columns": COLUMNS, "data": ROWS}, "params": {"as_of": AS_OF}}
        contacts = client.post("/invocations", json=asked).json()["predictions"]
        rows = client.post("/invocations", json={"dataframe_split": features}).json()["predictions"]
        wrong = client.post("/invocations", json={"dataframe_split": {"columns": ["x"], "data": [[1]]}})
        records = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
        again = client.post("/invocations", json={"dataframe_records": records, "params": {"as_of": AS_OF}})
    assert [each["identity"] for each in contacts] == ["crm:1", "crm:2", "crm:3"]
    expected = [estimate.propensities["conversion"] for estimate in estimates]
    assert [each["p_conversion"] for each in contacts] == expected
    assert [each["stage"] for each in contacts] == [estimate.stage for estimate in estimates]
    assert all(each["points"] == 0.0 for each in contacts)
    assert [each["p_conversion"] for each in rows] == expected
    assert again.json()["predictions"] == contacts
    assert wrong.status_code == 400 and "lack the columns" in wrong.text
