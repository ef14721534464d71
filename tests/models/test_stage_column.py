"""Claims about the stage as a column: the same place in training, in a request and in a batch."""

from dataclasses import replace

import numpy as np
import pytest

from features.feature_set import FeatureSet, FeatureSetError, TraitColumn
from features.matrix import History
from features.times import DAY
from features.touchpoints.touchpoints import Touchpoints
from models.belief import Belief
from models.bundle import Bundle
from models.estimate import Candidate
from models.estimates import foresee
from models.judged import judged_stages
from models.propensity import Propensity
from models.stages.column import fill_stage
from models.stages.stages import StageModel

AS_OF = 100 * DAY
KINDS = ("order", "view")
PLAIN = FeatureSet(kinds=KINDS, channels=("web",), topics=(), traits=(TraitColumn("fit", "number"),))
STAGED = replace(PLAIN, stage=True)
OWN = replace(STAGED, own=True, types=("mail",), own_channels=("web",))
SEEN = (*(f"n_kind_{kind}_{window}" for kind in KINDS for window in ("7d", "30d", "90d")), "recency_inbound_days")


def touchpoints(contacts: int = 120, seed: int = 0) -> Touchpoints:
    rng = np.random.default_rng(seed)
    n = 20 * contacts
    who = rng.integers(0, contacts, n)
    kind = (rng.random(n) < np.where(who % 3 == 0, 0.8, 0.1)).astype(np.int8)
    at = rng.integers(0, np.where(who % 2 == 0, 99, 60) * DAY)
    names = [f"c{i:03d}" for i in range(contacts)]
    return Touchpoints.from_columns(names, who, at, kind=kind, kinds=["view", "order"])


def matrix(features: FeatureSet) -> np.ndarray:
    t = touchpoints()
    n = len(t.contacts)
    return History(t, features).matrix(np.arange(n), np.full(n, AS_OF))


@pytest.fixture(scope="module")
def stages() -> StageModel:
    X = matrix(PLAIN)
    at = [PLAIN.columns.index(name) for name in SEEN]
    rule = (X[:, PLAIN.columns.index("n_kind_order_30d")] > 0).astype(int)
    return StageModel.fit(X[:, at], SEEN, rule, ("new", "buys", "gone"), 3, kinds=2)


def propensity(features: FeatureSet, stages: StageModel) -> Propensity:
    rng = np.random.default_rng(1)
    X = np.repeat(matrix(replace(features, own=False)), 8, axis=0)
    fill_stage(stages, replace(features, own=False), X)
    more = len(features.own_features)
    X = np.column_stack([X, rng.normal(size=(len(X), more))]).astype(np.float32)
    y = rng.random(len(X)) < 0.2 + 0.25 * X[:, features.columns.index("stage")]
    as_of = np.sort(rng.integers(0, 12, len(X))) * 14 * DAY
    return Propensity.fit(
        X, y, as_of, as_of + DAY, np.arange(len(X)), columns=features.columns, params={"num_leaves": 4}
    )


@pytest.fixture(scope="module")
def belief(stages: StageModel) -> Belief:
    goal = {
        "is_absence": False, "linked": False, "horizon_us": DAY, "base_rate": 0.3, "success_value": 1.0,
        "grades": [0.1, 0.2, 0.3], "own": None, "after_kind": None, "effects": {},
    }  # fmt: skip
    own = {"types": ["mail"], "own_channels": ["web"], "numbers": []}
    manifest = {
        "features": STAGED.to_json(),
        "goals": {"conversion": goal, "deal": goal | {"own": own, "after_kind": "view"}},
        "actions": {},
        "policies": {"serves": "points", "evidence": "none"},
    }
    models = {"conversion": propensity(STAGED, stages), "deal": propensity(OWN, stages)}
    return Belief(Bundle(manifest, models, stages))


def test_the_column_stands_between_traits_and_what_comes_later():
    at = STAGED.columns.index("stage")
    assert STAGED.columns[at - 1] == "trait_fit"
    assert OWN.columns[at + 1].startswith("own_")
    assert [name for name in STAGED.columns if name != "stage"] == list(PLAIN.columns)


def test_it_is_empty_until_somebody_fills_it_and_moves_no_other_column():
    X = matrix(STAGED)
    at = STAGED.columns.index("stage")
    assert np.isnan(X[:, at]).all()
    np.testing.assert_array_equal(np.delete(X, at, axis=1), matrix(PLAIN))


def test_the_place_along_the_journey_is_written_and_nothing_else(stages):
    X = matrix(STAGED)
    codes = fill_stage(stages, STAGED, X)
    assert codes is not None
    at = STAGED.columns.index("stage")
    np.testing.assert_array_equal(X[:, at], codes)
    np.testing.assert_array_equal(np.delete(X, at, axis=1), matrix(PLAIN))
    assert set(codes.tolist()) == {0, 1, 2}


def test_without_a_column_or_without_stages_nothing_is_written(stages):
    X = matrix(PLAIN)
    assert fill_stage(stages, PLAIN, X) is not None
    np.testing.assert_array_equal(X, matrix(PLAIN))
    staged = matrix(STAGED)
    assert fill_stage(None, STAGED, staged) is None
    assert np.isnan(staged[:, STAGED.columns.index("stage")]).all()


def test_a_request_and_a_batch_are_told_the_same_to_the_bit(belief):
    t = touchpoints()
    candidates = [Candidate("mail", "web", "deal"), Candidate("call", "phone", "conversion")]
    traits = [{"fit": float(i % 4)} for i in range(len(t.contacts))]
    batch = foresee(belief, t, traits, AS_OF, candidates)
    for i in range(len(t.contacts)):
        one = belief.estimate(t.only(i), traits[i], AS_OF, candidates)
        other = batch.estimate(t.only(i), traits[i], AS_OF, candidates)
        assert one.stage == other.stage
        assert one.propensities == other.propensities
        np.testing.assert_array_equal(one.propensity, other.propensity)


def test_the_propensity_looks_at_the_stage(belief, stages):
    assert dict(belief.bundle.propensities["conversion"].drivers())["stage"] > 0.3
    t = touchpoints()
    found = foresee(belief, t, [{}] * len(t.contacts), AS_OF, [])
    chance: dict[str, list[float]] = {name: [] for name in stages.names}
    for i in range(len(t.contacts)):
        one = found.estimate(t.only(i), {}, AS_OF, [])
        chance[str(one.stage)].append(one.propensities["conversion"])
    means = [float(np.mean(chance[name])) for name in stages.names]
    assert means[0] + 0.1 < means[1] and means[1] + 0.1 < means[2]


def test_a_feature_set_from_before_there_was_a_stage_is_read_as_it_was():
    plain = PLAIN.to_json()
    del plain["stage"]
    assert FeatureSet.from_json(plain) == PLAIN
    assert FeatureSet.from_json(STAGED.to_json()) == STAGED
    with pytest.raises(FeatureSetError, match="stage"):
        FeatureSet.from_json(PLAIN.to_json() | {"stage": True})


def test_the_stages_of_the_judged_fits_travel_beside_them_and_serve_nobody(tmp_path, belief, stages):
    X = matrix(PLAIN)
    at = [PLAIN.columns.index(name) for name in SEEN]
    earlier = StageModel.fit(X[:, at], SEEN, np.zeros(len(X), dtype=int), ("new", "buys", "gone"), 3, seed=5, kinds=2)
    bundle = replace(belief.bundle, judged_stages=earlier)
    saved = bundle.save(tmp_path / "with")
    read, loaded = judged_stages(tmp_path / "with"), Bundle.load(tmp_path / "with")
    assert read is not None and read.to_json() == earlier.to_json()
    assert loaded.stages is not None and loaded.stages.to_json() == stages.to_json()
    assert saved.sha256 == loaded.sha256
    loaded.check_golden(tmp_path / "with")
    belief.bundle.save(tmp_path / "without")
    assert judged_stages(tmp_path / "without") is None
