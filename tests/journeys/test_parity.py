"""What a model saw when it decided is what training sees as of that decision: the same row, to the last bit."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.digest import digests
from features.feature_set import FeatureSet, TraitColumn
from features.rows.row_types import ContactRow, LinkRow, TouchpointRow
from features.store.store import Writing
from features.times import DAY, HOUR, SECOND
from models.bundle import Bundle
from models.local import install
from models.propensity import Propensity
from models.stages.stages import StageModel
from nba.settings import parse_settings
from serving.app import create_app
from serving.deciding import answer
from training.past import read_past
from training.rows.decision_rows import decision_rows

BEGIN = 1_764_000_000_000_000
SETTINGS = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[goals.service]
kinds = ["service_call"]
horizon = "30d"
[actions.mail]
channel = "email"
[actions.call]
channel = "phone"
cost = 9.0
[points]
kinds = { visit = 5, download = 100 }
thresholds = [{ from = 5, actions = ["mail"] }]
[serving]
deadline = "600s"
[ranking]
sticky = "0s"
holdout = 0.0
"""
KINDS, CHANNELS, TOPICS = (
    ("visit", "download", "order", "service_call", "email_sent"),
    ("web", "email", "phone", None),
    ('["pumps/industrial"]', '["valves"]', '["pumps","valves"]', None),
)
FEATURES = FeatureSet(
    kinds=("visit", "download", "order"),
    channels=("web", "email"),
    topics=("pumps", "valves"),
    traits=(
        TraitColumn("country", "category", ("CH", "DE")),
        TraitColumn("size", "number"),
        TraitColumn("due", "date"),
    ),
    account=True,
    stage=True,
)


def made_bundle(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    X = rng.poisson(2.0, (600, len(FEATURES.columns))).astype(np.float32)
    as_of = np.sort(rng.integers(0, 12, 600)) * 14 * DAY
    models = {}
    for goal, column in (("conversion", 1), ("service", 5)):
        y = (rng.random(600) < 1 / (1 + np.exp(3 - X[:, column]))).astype(float)
        models[goal] = Propensity.fit(
            X, y, as_of, as_of + 14 * DAY, np.arange(600), columns=FEATURES.columns, categorical=FEATURES.categorical,
            params={"num_leaves": 4, "min_data_in_leaf": 20, "feature_fraction": 0.5, "extra_trees": False},
        )  # fmt: skip
    described = {
        "is_absence": False, "linked": False, "horizon_us": 30 * DAY, "base_rate": 0.2, "success_value": 100.0,
        "grades": [0.2, 0.5, 0.9], "own": None, "effects": {},
    }  # fmt: skip
    manifest = {
        "created_at": "2026-01-01T00:00:00Z",
        "features": FEATURES.to_json(),
        "goals": {goal: described for goal in models},
        "actions": {},
        "policies": {"serves": "learned", "evidence": "none"},
    }
    columns = [name for name in FEATURES.columns if name != "stage"]
    places = [FEATURES.columns.index(name) for name in columns]
    stages = StageModel.fit(X[:, places], columns, rng.integers(0, 3, 600), ("a", "b", "c"), clusters=3)
    Bundle(manifest, models, stages, judged=models).save(folder)
    return folder


class Life:
    """Contacts that do something, become known better and turn out to be one, while time goes by."""

    def __init__(self, seed: int, contacts: int) -> None:
        self.rng, self.now, self._made = np.random.default_rng(seed), BEGIN, 0
        # Every account has a few contacts, however many there are: each decision reads them all.
        self._contacts, self._accounts = contacts, 3 * contacts // 10

    def clock(self) -> int:
        self.now += 1
        return self.now

    def who(self) -> str:
        return f"crm:{self.rng.integers(self._contacts)}"

    def goes_on(self, writing: Writing) -> None:
        rng = self.rng
        self.now += int(rng.integers(1, 6 * HOUR))
        writing.touchpoints([self._touchpoint() for _ in range(rng.integers(0, 4))])
        if rng.random() < 0.1:
            country = str(rng.choice(["CH", "DE", "FR"]))
            traits = {"country": country, "account": f"account:{rng.integers(self._accounts)}"}
            number = {"size": int(rng.integers(1, 500)), "due": "2026-05-01"} if rng.random() < 0.5 else {}
            writing.contacts([ContactRow(self.who(), self.now - SECOND, {**traits, **number})])
        if rng.random() < 0.02:
            writing.links([LinkRow(self.who(), self.who(), self.now - SECOND, "form", 1.0)])

    def _touchpoint(self) -> TouchpointRow:
        rng = self.rng
        self._made += 1
        kind = KINDS[rng.integers(len(KINDS))]
        return TouchpointRow(
            self.who(), self.now - int(rng.integers(0, SECOND)), f"t{self._made}", kind,
            CHANNELS[rng.integers(4)], topics=TOPICS[rng.integers(4)],
            value=float(rng.integers(1, 900)) if kind == "order" else None,
        )  # fmt: skip


def decided(folder: Path, decisions: int, seed: int, contacts: int = 40) -> tuple[int, list[str]]:
    """How many of the decisions a model made, and the ids of those that it saw other features for than training."""
    settings = parse_settings(SETTINGS, folder=folder, environ={})
    install(folder, made_bundle(folder / "made"), "1", Bundle.load(folder / "made").sha256)
    life = Life(seed, contacts)
    app = create_app(settings, clock=life.clock)

    async def live() -> Any:
        async with app.router.lifespan_context(app):
            service = app.state.service
            for _ in range(decisions):
                with service.store.writing() as writing:
                    life.goes_on(writing)
                await answer(service, {"contact": life.who()})
            past = read_past(service.store, settings, life.now + DAY)
        return past, service.bundles.current

    past, belief = asyncio.run(live())
    rows = decision_rows(past, settings)
    found = digests(rows.matrix(past, belief.features, belief.bundle.stages))
    seen = [(row.decision_id, row.features_sha, sha) for row, sha in zip(rows.made, found, strict=True)]
    by_model = [each for each in seen if each[1] is not None]
    return len(by_model), [name for name, logged, sha in by_model if logged != sha]


def test_the_features_of_logged_decisions_come_out_of_the_store_again(tmp_path: Path) -> None:
    by_model, other = decided(tmp_path, 80, seed=1)
    assert by_model > 50
    assert other == []


@pytest.mark.slow
def test_the_features_of_ten_thousand_logged_decisions_come_out_of_the_store_again(tmp_path: Path) -> None:
    by_model, other = decided(tmp_path, 10_500, seed=2, contacts=400)
    assert by_model >= 10_000
    assert other == []
