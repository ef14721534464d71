"""A world of contacts with touchpoints, traits and consent, and a belief about them, for claims about scale."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from features.feature_set import FeatureSet, TraitColumn
from features.times import DAY
from features.touchpoints.touchpoints import Touchpoints
from features.traits import Traits
from models.belief import Belief
from models.bundle import Bundle
from models.effect.effect import Effects
from models.propensity import Propensity
from models.stages.stages import StageModel
from nba.settings import Settings, parse_settings
from training.dataset import Rows
from training.past import Past

NOW = 20_000 * DAY
KINDS = ("visit", "newsletter_open", "download", "email_sent", "order", "campaign")
CHANNELS = ("web", "mail", "phone")
TOPICS = ("pumps", "valves", "saws")
TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[goals.answer]
kinds = ["order"]
horizon = "30d"
snapshots = {{ after = {{ kind = "campaign" }} }}
[goals.churn]
absence_of = ["order"]
horizon = "90d"
[actions.call]
channel = "phone"
goal = "conversion"
start = {{ propensity = 0.4, evidence = 50 }}
[actions.mail]
channel = "mail"
goal = "conversion"
[actions.campaign]
channel = "mail"
goal = "answer"
topics = ["pumps"]
[actions.fair]
channel = "mail"
goal = "answer"
[actions.keep]
channel = "phone"
goal = "churn"
[points]
kinds = {{ visit = 5, newsletter_open = 50, download = 100 }}
thresholds = [{{ below = 300, actions = ["mail"] }}, {{ from = 300, actions = ["call", "keep"] }}]
[contact_policy]
caps = [{{ per = "30d", count = 3 }}]
[scale]
backend = "{backend}"
partitions = {partitions}
{scheduler}
"""
BASE = FeatureSet(
    kinds=KINDS[:5], channels=CHANNELS, topics=TOPICS[:2],
    traits=(TraitColumn("size", "number"), TraitColumn("since", "date"), TraitColumn("sector", "category", ("metal",))),
)  # fmt: skip

OWN = replace(BASE, own=True, types=("campaign",), own_channels=("mail",), numbers=("size",))


def settings(backend: str = "sequential", partitions: int = 1, scheduler: str | None = None) -> Settings:
    """Settings with goals, actions and a scale."""
    line = "" if scheduler is None else f'scheduler = "{scheduler}"'
    return parse_settings(TOML.format(backend=backend, partitions=partitions, scheduler=line))


def past(n_contacts: int = 300, per_contact: int = 12, seed: int = 0) -> Past:
    """Contacts ``c0`` and so on; some only have traits, some object to mail."""
    rng = np.random.default_rng(seed)
    rows = [_row(rng, number, n_contacts) for number in range(n_contacts * per_contact)]
    rows += [
        _touchpoint(f"c{i}", NOW - i * DAY - 1, f"w{i}", "consent_withdrawn", properties={"channel": "mail"})
        for i in range(0, n_contacts, 7)
    ]
    traits = Traits(
        (f"c{i}", NOW - int(rng.integers(1, 99)) * DAY, {"size": i % 9, "since": "2020-01-01", "sector": "metal"})
        for i in range(0, n_contacts + 20, 2)
    )
    return Past(Touchpoints.from_rows(rows, settings().touchpoints), traits, (), NOW, NOW, 0)


def _row(rng: np.random.Generator, number: int, n_contacts: int) -> tuple[Any, ...]:
    kind = KINDS[rng.integers(len(KINDS))]
    return _touchpoint(
        f"c{int(n_contacts * rng.random() ** 2)}",
        NOW - int(rng.integers(1, 500 * DAY)),
        f"t{number}",
        kind,
        channel=CHANNELS[rng.integers(3)],
        topics=json.dumps([TOPICS[rng.integers(3)]]) if rng.random() < 0.6 else None,
        value=float(rng.random() * 100) if kind == "order" else None,
        decision=f"d{number}" if kind == "email_sent" else None,
        properties={"size": int(rng.integers(9))} if kind == "campaign" else None,
    )


def _touchpoint(
    identity: str, at: int, number: str, kind: str, *, channel: str | None = None, topics: str | None = None,
    value: float | None = None, decision: str | None = None, properties: dict[str, Any] | None = None,
) -> tuple[Any, ...]:  # fmt: skip
    text = None if properties is None else json.dumps(properties)
    return (identity, at, number, kind, channel, None, topics, value, None, None, None, decision, None, text)


def rows(past: Past, seed: int = 0) -> Rows:
    """Rows after campaigns, in no order."""
    rng = np.random.default_rng(seed)
    t = past.touchpoints
    own = rng.permutation(np.flatnonzero(t.kind == t.kinds.index("campaign"))).astype(np.int64)
    as_of = t.occurred_at[own] + rng.integers(0, 50 * DAY, len(own))
    none = np.zeros(len(own), dtype=np.bool_)
    return Rows(t.contact[own].astype(np.int64), as_of, as_of + 1, none, np.zeros(len(own)), own)


@cache
def belief() -> Belief:
    """A belief with a goal of the history, one about the action itself, one of an absence, and stages."""
    described = {"types": ["campaign"], "own_channels": ["mail"], "numbers": ["size"]}
    manifest = {
        "features": BASE.to_json(),
        "goals": {
            "conversion": _goal(effects={"mail": {"shift": 0.4, "n": 100}}),
            "answer": _goal(own=described, after_kind="campaign"),
            "churn": _goal(is_absence=True),
        },
        "actions": {"campaign": {"topics": ["pumps"], "numbers": {"size": 3.0}}},
        "policies": {"serves": "learned", "evidence": "observational"},
    }
    models = {"conversion": _fitted(BASE), "answer": _fitted(OWN), "churn": _fitted(BASE)}
    X = np.random.default_rng(1).exponential(3.0, (400, 3))
    stages = StageModel.fit(X, BASE.columns[:3], np.arange(400) % 3, ("new", "warm", "hot"), 3)
    return Belief(Bundle(manifest, models, stages, "0" * 64, effects={"conversion": _effects()}), "7")


def _effects() -> Effects:
    """What mail changes, more for those who visit a lot: without it nothing would be worth its cost."""
    rng = np.random.default_rng(2)
    X = rng.exponential(3.0, (2000, len(BASE.columns))).astype(np.float32)
    action = rng.integers(0, 2, len(X))
    y = rng.random(len(X)) < 0.2 + action * (0.05 + 0.3 * (X[:, :5].sum(axis=1) > 15))
    even = np.full((len(X), 2), 0.5)
    return Effects.fit(
        X, action, y, actions=("do_nothing", "mail"), columns=BASE.columns, probability=even[:, 0], chances=even
    )


def _goal(**more: Any) -> dict[str, Any]:
    described = {
        "is_absence": False, "linked": False, "horizon_us": DAY, "base_rate": 0.3, "success_value": 50.0,
        "grades": [0.2, 0.3, 0.4], "own": None, "after_kind": None, "effects": {},
    }  # fmt: skip
    return described | ({"grades": [0.2, 0.4]} if more.get("is_absence") else {}) | more


def _fitted(features: FeatureSet) -> Propensity:
    rng = np.random.default_rng(0)
    X = rng.exponential(3.0, (400, len(features.columns))).astype(np.float32)
    y = rng.random(400) < 0.2 + 0.4 * (X[:, :5].sum(axis=1) > 15)
    as_of = np.sort(rng.integers(0, 12, 400)) * 14 * DAY
    return Propensity.fit(X, y, as_of, as_of + DAY, np.arange(400), columns=features.columns, params={"num_leaves": 6})
