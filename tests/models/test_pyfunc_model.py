"""What MLflow's own tools say with a bundle is what the service believes, from touchpoints and from features."""

import shutil
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.matrix import History
from features.times import parse_time
from features.touchpoints.touchpoints import Touchpoints
from models.belief import Belief
from models.bundle import Bundle
from models.registry.registry import Registry
from models.touchpoint_scores import read_touchpoints
from tests.models.registry_bundles import FEATURES, made_bundle, publish

AS_OF = "2026-03-01T00:00:00Z"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_bundle(tmp_path_factory.mktemp("made") / "candidate", stages=True)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, bundle: Path, empty_mlflow: Path) -> Iterator[Any]:
    """Return the champion as a data scientist loads it."""
    folder = tmp_path_factory.mktemp("mlflow")
    shutil.copy(empty_mlflow, folder / "mlflow.db")
    registry = Registry(f"sqlite:///{folder}/mlflow.db", "nba", folder / "mlartifacts")
    registry.promote(publish(registry, bundle), "first", "gate")
    with registry._mlflow() as mlflow:
        yield mlflow.pyfunc.load_model("models:/nba@champion")


def frame(contacts: int = 40, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = contacts * 12
    start, end = parse_time("2025-10-01"), parse_time("2026-04-01")
    kinds = rng.choice(["visit", "order", "call"], n, p=[0.7, 0.2, 0.1])
    return pd.DataFrame(
        {
            "identity": [f"crm:{c}" for c in rng.integers(0, contacts, n)],
            "occurred_at": pd.to_datetime(rng.integers(start, end, n), unit="us", utc=True),
            "kind": kinds,
            "channel": rng.choice(np.array(["web", "phone", None], dtype=object), n),
            "value": np.where(kinds == "order", rng.integers(5, 500, n), np.nan),
            "campaign": rng.choice(np.array(["spring", None], dtype=object), n),
        }
    )


def scores(loaded: Any, rows: pd.DataFrame, as_of: str = AS_OF) -> pd.DataFrame:
    found: pd.DataFrame = loaded.predict(rows, params={"as_of": as_of})
    return found.set_index("identity").sort_index()


def test_contacts_are_scored_as_a_request_scores_them(loaded, bundle):
    rows = frame()
    found = scores(loaded, rows)
    assert list(found.columns) == ["stage", "points", "p_conversion"]
    belief = Belief.load(bundle)
    columns = {name: rows[name].astype(object).where(rows[name].notna(), None).tolist() for name in rows.columns}
    columns["occurred_at"] = [t.isoformat() for t in rows["occurred_at"]]
    everybody = read_touchpoints(columns, belief.features)
    assert len(found) == len(everybody.contacts) == 40
    for code, name in enumerate(everybody.contacts):
        estimate = belief.estimate(everybody.only(code), {}, parse_time(AS_OF), [])
        assert found.loc[name, "p_conversion"] == estimate.propensities["conversion"], name
        assert found.loc[name, "stage"] == estimate.stage


def test_only_what_happened_strictly_before_the_moment_counts(loaded):
    rows = frame()
    early = rows[rows["occurred_at"] < pd.Timestamp(AS_OF)]
    assert len(early) < len(rows)
    known = early["identity"].unique()
    pd.testing.assert_frame_equal(scores(loaded, rows).loc[sorted(known)], scores(loaded, early))


def test_order_of_rows_and_columns_and_the_way_times_are_written_do_not_matter(loaded):
    rows = frame()
    expected = scores(loaded, rows)
    shuffled = rows.sample(frac=1, random_state=1)[sorted(rows.columns)]
    pd.testing.assert_frame_equal(scores(loaded, shuffled), expected)
    texts = rows.assign(occurred_at=[t.isoformat() for t in rows["occurred_at"]])
    pd.testing.assert_frame_equal(scores(loaded, texts), expected)
    naive = rows.assign(occurred_at=rows["occurred_at"].dt.tz_localize(None))
    pd.testing.assert_frame_equal(scores(loaded, naive), expected)
    elsewhere = rows.assign(occurred_at=rows["occurred_at"].dt.tz_convert(timezone(timedelta(hours=5, minutes=30))))
    pd.testing.assert_frame_equal(scores(loaded, elsewhere), expected)


def test_without_a_moment_it_is_now(loaded):
    rows = frame(3).assign(occurred_at=pd.Timestamp.now(tz="UTC") - pd.Timedelta(hours=1))
    later = rows.assign(occurred_at=pd.Timestamp.now(tz="UTC") - pd.Timedelta(days=400))
    assert (loaded.predict(rows)["p_conversion"] != loaded.predict(later)["p_conversion"]).any()


def test_nobody_is_no_rows(loaded):
    assert len(loaded.predict(frame(2).iloc[:0], params={"as_of": AS_OF})) == 0


def test_a_touchpoint_that_a_load_would_refuse_is_named(loaded):
    rows = frame(3)
    rows["occurred_at"] = rows["occurred_at"].astype(str)
    rows.loc[2, "occurred_at"] = "last tuesday"
    rows.loc[4, "identity"] = None
    with pytest.raises(Exception, match=r"2 of 36 touchpoints are refused: row 2: .*last tuesday.*; row 4"):
        loaded.predict(rows)


def test_ready_features_are_scored_row_by_row(loaded, bundle):
    everybody: Touchpoints = read_touchpoints(
        {"identity": ["a", "b"], "occurred_at": ["2026-01-01", "2026-02-20"], "kind": ["visit", "order"]}, FEATURES
    )
    moments = np.full(2, parse_time(AS_OF), dtype=np.int64)
    X = History(everybody, FEATURES).matrix(np.arange(2), moments)
    rows = pd.DataFrame(X, columns=list(FEATURES.columns), index=[7, 9])[sorted(FEATURES.columns)].assign(more="x")
    answer = loaded.predict(rows)
    model = Bundle.load(bundle)
    assert answer.index.tolist() == [7, 9]
    assert answer["p_conversion"].tolist() == model.propensities["conversion"].predict(X).tolist()
    assert model.stages is not None
    assert set(answer["stage"]) <= set(model.stages.names)
    with pytest.raises(Exception, match=r"lack the columns .*points.* or touchpoints with identity"):
        loaded.predict(rows.drop(columns="points"))
