"""What ``bench_http.py`` serves: a thousand contacts with 200 touchpoints each, three models, every kind of rule."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from features.feature_set import FeatureSet, TraitColumn
from features.matrix import History
from features.rows.row_types import ContactRow, RecordRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, HOUR, iso
from features.touchpoints.touchpoints import Touchpoints
from models.bundle import Bundle
from models.local import install
from models.propensity import Propensity
from models.registry.registry import Registry
from models.registry.training_run import TrainingRun
from models.stages.stages import StageModel
from nba.settings import parse_settings

CONTACTS, TOUCHPOINTS, PER_ACCOUNT, OWNERS = 1_000, 200, 3, 10
STAGES = ("need", "evaluate", "purchase")
RULES = (Path(__file__).parent / "decide.toml").read_text(encoding="utf-8")
# An answer given again is not logged again, so nobody's choice is sticky; a request is answered by the models however
# long it waits, so that what is measured is all of it.
MORE = """
[goals.service]
kinds = ["service_call"]
horizon = "30d"
[serving]
deadline = "60s"
"""
SETTINGS = parse_settings(RULES.replace('sticky = "1h"', 'sticky = "0s"\nholdout = 0.0') + MORE)
GOALS = {"conversion": "order", "churn": "order", "service": "service_call"}
FEATURES = FeatureSet(
    kinds=("page_view", "visit", "newsletter_open", "download", "service_call", "order"),
    channels=("web", "email", "phone", "letter", "shop"),
    topics=("pumps/industrial", "service"),
    rules=SETTINGS.touchpoints,
    traits=(TraitColumn("country", "category", ("AT", "CH", "DE")), TraitColumn("partner", "category", ("dealer:1",))),
)


def write_settings(folder: Path, store: str) -> Path:
    """Write ``nba.toml`` with a store of its own."""
    path = folder / "nba.toml"
    text = RULES.replace('sticky = "1h"', 'sticky = "0s"\nholdout = 0.0') + MORE
    path.write_text(f'{text}[store]\nurl = "{store}"\n', encoding="utf-8")
    return path


def name_of(contact: int) -> str:
    """Name of a contact."""
    return f"crm:{contact:06}"


def rows_of(contact: int, now: int) -> list[TouchpointRow]:
    """Make up a year of a contact that reads, buys, complains, agrees and is written to."""
    rng = np.random.default_rng(contact)
    told: list[tuple[str, str | None]] = [
        ("consent_given", "email"),
        ("consent_confirmed", "email"),
        ("rejected", "email"),
    ]
    told += [("consent_presumed", "phone"), ("complaint", None), ("complaint_closed", None)]
    told += [("order", "shop")] * int(rng.integers(0, 12)) + [("service_call", "phone")] * int(rng.integers(0, 8))
    sent = [("email", "email_sent"), ("phone", "call_made"), ("letter", "letter_sent")]
    told += [(kind, channel) for channel, kind in (sent[i] for i in rng.integers(0, 3, 29))]
    kinds = ("page_view", "visit", "newsletter_open", "download")
    told += [(kinds[i], "web") for i in rng.integers(0, 4, TOUCHPOINTS - 1 - len(told))]
    told.append(("fair_visit", None))
    times = now - np.sort(rng.integers(2 * HOUR, 365 * DAY, len(told)))[::-1]
    order = [*range(6), *(6 + rng.permutation(len(told) - 7)).tolist(), len(told) - 1]
    return [
        TouchpointRow(
            name_of(contact), int(at), f"{contact}-{i}", kind, channel,
            topics='["pumps/industrial"]' if i % 2 else '["service"]',
            value=float(rng.integers(20, 900)) if kind == "order" else None,
            action="mail_1" if kind in ("rejected", "email_sent") else None,
            properties='{"ground":"met at a fair"}' if kind == "consent_presumed" else None,
        )
        for i, (at, (kind, channel)) in enumerate(zip(times, (told[i] for i in order), strict=True))
    ]  # fmt: skip


def traits_of(contact: int, now: int) -> dict[str, object]:
    """Traits of a contact, whose account has two others."""
    return {
        "account": f"account:{contact // PER_ACCOUNT}",
        "owner": f"owner:{contact // PER_ACCOUNT % OWNERS}",
        "partner": "dealer:1",
        "person_type": "business",
        "country": ("CH", "DE", "AT")[contact % 3],
        "timezone": "Europe/Zurich",
        "born_on": f"1980-{1 + contact % 12:02}-15",
        "contract_ends_on": iso(now + 20 * DAY)[:10],
    }


def fill(store: Store, now: int) -> None:
    """Store everybody, with their histories packed as a running service packs them."""
    with store.loading() as loading:
        loading.contacts([ContactRow(name_of(i), now - 400 * DAY, traits_of(i, now)) for i in range(CONTACTS)])
        loading.records("products", [RecordRow("p1", now - 400 * DAY, {"topic": "pumps", "margin": 0.4})])
        loading.records("partners", [RecordRow("dealer:1", now - 400 * DAY, {"territory": "CH"})])
        events = ({"starts_at": iso(now + i * 10 * DAY), "topics": ["pumps"]} for i in range(1, 6))
        loading.records("events", [RecordRow(f"e{i}", now - 400 * DAY, body) for i, body in enumerate(events)])
        assets = (
            {"identity": name_of(i), "product_id": "p1", "next_service_on": iso(now + 5 * DAY)[:10]}
            for i in range(CONTACTS)
        )
        loading.records("assets", [RecordRow(f"a{i}", now - 400 * DAY, body) for i, body in enumerate(assets)])
        for i in range(CONTACTS):
            loading.touchpoints(rows_of(i, now))
        loading.settle()
    for low in range(0, CONTACTS, 100):
        with store.writing() as writing:
            for i in range(low, low + 100):
                writing.repack(name_of(i), SETTINGS.touchpoints)


def make_bundle(folder: Path, now: int) -> tuple[Path, NDArray[np.float32]]:
    """Fit a model for each goal on a third of the contacts; returns the bundle's folder and rows of its matrix."""
    told = [row[:14] for i in range(0, CONTACTS, 3) for row in rows_of(i, now)]
    touchpoints = Touchpoints.from_rows(told, SETTINGS.touchpoints)
    contact = np.repeat(np.arange(len(touchpoints.contacts)), 12)
    as_of = now - np.tile(np.arange(12, 0, -1) * 28 * DAY, len(touchpoints.contacts))
    X = History(touchpoints, FEATURES).matrix(contact, as_of)
    rng = np.random.default_rng(0)
    # Traits are filled in by who serves; here they are drawn, because they say nothing.
    X[:, len(FEATURES.history) :] = rng.integers(0, 3, (len(X), len(FEATURES.traits)))
    order = np.argsort(as_of, kind="stable")
    models = {goal: _fit(X[order], as_of[order], contact[order], goal) for goal in GOALS}
    stages = StageModel.fit(X, FEATURES.columns, rng.integers(0, 3, len(X)), STAGES, clusters=3)
    manifest = {
        "created_at": iso(now),
        "features": FEATURES.to_json(),
        "goals": {goal: _described(goal) for goal in GOALS},
        "actions": {},
        "policies": {"serves": "learned", "evidence": "randomised"},
    }
    path = folder / "made"
    Bundle(manifest, models, stages, judged=models).save(path)
    return path, X[order]


def _fit(X: NDArray[np.float32], as_of: NDArray[np.int64], contact: NDArray[np.int64], goal: str) -> Propensity:
    """Fit on an outcome that hangs on how often and how lately something happened, in a bent way."""
    rng, columns = np.random.default_rng(len(goal)), len(FEATURES.history)
    picked = X[:, rng.choice(columns, 8, replace=False)].astype(np.float64)
    filled = np.nan_to_num(picked, nan=-1.0)
    scaled = (filled - filled.mean(axis=0)) / (filled.std(axis=0) + 1e-9)
    odds = np.tanh(scaled) @ rng.normal(0.0, 1.0, 8) + np.sin(2 * scaled[:, 0]) - 1.5
    y = (rng.random(len(X)) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    return Propensity.fit(
        X, y, as_of, as_of + 30 * DAY, contact, columns=FEATURES.columns, categorical=FEATURES.categorical,
        params={"num_leaves": 15, "min_data_in_leaf": 40, "feature_fraction": 0.5, "extra_trees": False},
    )  # fmt: skip


def _described(goal: str) -> dict[str, object]:
    effects = {
        name: {"shift": 0.02 * (1 + i % 7), "n": 400}
        for i, (name, action) in enumerate(SETTINGS.actions.items())
        if action.goal == goal
    }
    return {
        "is_absence": goal == "churn", "linked": False, "horizon_us": 30 * DAY, "base_rate": 0.2,
        "success_value": 120.0, "grades": [0.2, 0.5, 0.9], "own": None, "effects": effects,
    }  # fmt: skip


def serve_with(folder: Path, bundle: Path) -> None:
    """Put the bundle in the champion's place."""
    install(folder, bundle, "1", Bundle.load(bundle).sha256)


def publish(bundle: Path, uri: str, artifacts: Path) -> None:
    """Make the bundle MLflow's champion."""
    registry = Registry(uri, "nba", artifacts)
    registry.promote(registry.publish(bundle, TrainingRun(report={})), "measured", "bench")


def questions(path_of: str) -> Iterator[bytes]:
    """Bodies of requests, each contact in turn."""
    return cycle([orjson.dumps({"contact": name_of(i), "placement": path_of}) for i in range(CONTACTS)])


def batches(size: int = 100) -> Iterator[bytes]:
    """Bodies of touchpoints, ``size`` in each; no two have one id."""
    events = [
        {
            "touchpoint_id": f"@@@@@@@@-{i}", "identity": f"web:########{i:03}", "kind": "page_view",
            "occurred_at": "2026-01-05T10:00:00Z", "channel": "web", "topics": ["pumps/industrial"],
            "properties": {"path": f"/products/{i}", "title": "Pumps that last"},
        }
        for i in range(size)
    ]  # fmt: skip
    whole, number = orjson.dumps(events), 0
    while True:
        number += 1
        yield whole.replace(b"@@@@@@@@", b"%08d" % number).replace(b"########", b"%08d" % (number % 200))


def ready_features(X: NDArray[np.float32]) -> Iterator[bytes]:
    """Bodies for MLflow's scoring server: one row of features each."""
    columns = list(FEATURES.columns)
    rows = ([None if x != x else x for x in row] for row in X[:CONTACTS].tolist())
    return cycle([orjson.dumps({"dataframe_split": {"columns": columns, "data": [row]}}) for row in rows])
