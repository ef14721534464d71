"""A store with everything that a decision looks at: links, splits, accounts, owners, decisions, objections."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from features.rows.row_types import ContactRow, DecisionRow, LinkRow, SplitRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, HOUR, iso, parse_time
from models.belief import Belief
from models.bundle import Bundle
from models.propensity import Propensity
from nba.actions import Catalogue
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past
from nba.request import Request
from nba.settings import Settings, parse_settings
from tests.training import scale_worlds

NOW = parse_time("2026-06-17T10:00:00Z")
TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[goals.churn]
absence_of = ["order"]
horizon = "90d"
[points]
kinds = { visit = 5, newsletter_open = 50, download = 100 }
thresholds = [{ below = 300, actions = ["mail"] }, { from = 300, actions = ["call", "keep"] }]
[stages.rules]
purchase = { seen = ["order"], within = "90d" }
need = { seen = ["visit"], within = "60d" }
[actions.call]
channel = "phone"
cost = 5
value = 90
needs = { points_from = 100 }
capacity = { per = "7d", count = 30, by = "owner" }
[actions.mail]
channel = "mail"
topics = ["pumps"]
cost = 0.1
[actions.dealer]
channel = "mail"
executor = "partner"
needs = { partner = true }
[actions.keep]
channel = "phone"
goal = "churn"
stages = ["purchase", "need"]
[actions.letter]
channel = "letter"
cost = { trait = "size", otherwise = 3 }
capacity = { total = 20 }
[actions.service]
channel = "mail"
when = { asset = "next_service_on", within = "30d" }
[actions.fair]
channel = "mail"
when = { event = "starts_at", from = "-21d", to = "-3d" }
unless_owned = "p1"
[actions.warm_mail]
channel = "mail"
needs = { segment = "warm" }
[segments]
warm = { topics = ["pumps"], points_from = 50 }
[contact_policy]
timezone = "Europe/Zurich"
calendar = { days = ["mon", "tue", "wed", "thu", "fri"] }
quiet = { from = "20:00", to = "08:00" }
holds = [{ open = "complaint", until = "complaint_closed", except = ["service"] }]
caps = [{ channel = "mail", per = "30d", count = 2 }, { per = "90d", count = 5 },
        { account = true, per = "20d", count = 4 }]
pauses = [{ outcome = "rejected", count = 1, within = "60d", pause = "60d", scope = "channel" }]
[contact_policy.consent]
phone = { business = "presumed", consumer = "opt_in" }
profiling = "opt_out"
[ranking]
epsilon = 0.3
"""
KINDS = ("visit", "newsletter_open", "download", "email_sent", "order", "rejected", "call_made", "consent_given")
RARE = ("complaint", "complaint_closed", "objection")


@cache
def settings(more: str = "") -> Settings:
    """Settings that ask for nearly everything."""
    return parse_settings(TOML + more)


CATALOGUE = Catalogue.of(settings())


def of_request(store: Store, name: str, as_of: int = NOW) -> Past:
    """Read one contact's past as the service does."""
    counted, memory_us = CATALOGUE.approach_rule, CATALOGUE.memory_us
    return Past.read(store, name, as_of, settings().touchpoints, memory_us=memory_us, counted=counted)


def write(store: Store, *, seed: int = 0, n: int = 36) -> None:
    """Put a world into a store: ``n`` identities, and what was decided for some of the contacts."""
    rng = np.random.default_rng([seed, 5])
    names = [*(f"crm:{i}" for i in range(n // 2)), *(f"cookie:{i}" for i in range(n - n // 2))]
    with store.writing() as writing:
        writing.touchpoints([_touchpoint(rng, names, number) for number in range(n * 8)])
        writing.touchpoints([TouchpointRow(f"crm:{i}", NOW - DAY, f"no{i}", "objection") for i in (2, 9)])
        writing.contacts([row for name in names for row in _traits(rng, name)])
        writing.links([_link(rng, names) for _ in range(n // 3)])
        writing.splits([SplitRow(f"cookie:{i}", f"crm:{i}", NOW - 5 * DAY, "wrong", "ann") for i in range(3)])
        writing.records("partners", [ContactRow("north", NOW - 300 * DAY, {"mode": "inform"})])
        writing.records("products", [ContactRow("p1", NOW - 300 * DAY, {"topic": "pumps"})])
        event = {"starts_at": "2026-06-29T08:00:00Z", "topics": ["pumps", "saws"], "seats": 9}
        writing.records("events", [ContactRow("fair", NOW - 90 * DAY, event)])
        writing.records("assets", [_asset(rng, names, i) for i in range(n // 3)])
    _decide(store, rng, names)


def _touchpoint(rng: np.random.Generator, names: list[str], number: int) -> TouchpointRow:
    kind = str(rng.choice(KINDS))
    more: dict[str, Any] = {"properties": json.dumps({"channel": "phone"})} if kind == "consent_given" else {}
    if kind == "rejected":
        more["channel"] = "mail"
    if number % 31 == 0:
        kind, more = RARE[number // 31 % 3], {}
    return TouchpointRow(
        names[int(len(names) * 0.9 * rng.random() ** 2)],
        int(NOW - rng.integers(-5 * DAY, 300 * DAY)),
        f"t{number}",
        kind,
        channel=more.get("channel") or str(rng.choice(["mail", "phone", "web"])),
        topics=json.dumps([str(rng.choice(["pumps", "pumps/industrial", "saws"]))]),
        value=float(rng.integers(1, 90)) if kind == "order" else None,
        properties=more.get("properties"),
    )


def _traits(rng: np.random.Generator, name: str) -> list[ContactRow]:
    moments = [int(NOW - days * DAY) for days in rng.integers(-3, 400, rng.integers(0, 3))]
    return [
        ContactRow(
            name,
            at,
            {
                "account": f"a{rng.integers(6)}",
                "role": str(rng.choice(["user", "purchasing"])),
                "owner": str(rng.choice(["ann", "bob"])),
                "partner": None if rng.random() < 0.6 else str(rng.choice(["north", "south"])),
                "size": int(rng.integers(9)),
                "person_type": str(rng.choice(["business", "consumer"])),
            },
        )
        for at in dict.fromkeys(moments)
    ]


def _link(rng: np.random.Generator, names: list[str]) -> LinkRow:
    a, b = rng.choice(len(names), 2, replace=False).tolist()
    how = str(rng.choice(["login", "alias", "stitched"]))
    return LinkRow(names[a], names[b], int(NOW - rng.integers(-2, 100) * DAY), how, None)


def _asset(rng: np.random.Generator, names: list[str], i: int) -> ContactRow:
    whose = {"identity": str(rng.choice(names))} if i % 2 else {"account": f"a{rng.integers(6)}"}
    due = iso(int(NOW + rng.integers(-60, 60) * DAY))[:10]
    body = {**whose, "product_id": f"p{i % 3}", "next_service_on": due}
    return ContactRow(f"s{i}", int(NOW - rng.integers(1, 300) * DAY), body)


def _decide(store: Store, rng: np.random.Generator, names: list[str]) -> None:
    """Let our own engine decide now and then, some of it deferred, some of that activated, some answered."""
    for number in range(len(names) * 2):
        name, at = names[rng.integers(len(names))], int(NOW - rng.integers(0, 60 * 24) * HOUR)
        past = of_request(store, name, at)
        request = Request(contact=name, defer=bool(rng.random() < 0.3))
        decision = decide(request, past, None, CATALOGUE, at, Draw(b"k", str(number)))
        if decision.is_new:
            shown = at + int(rng.integers(-1, 9) * DAY) if request.defer and rng.random() < 0.6 else None
            row = replace(decision.row(answer=b"{}"), activated_at=shown)
            with store.writing() as writing:
                _put(writing, row)
                if rng.random() < 0.3:
                    sent = TouchpointRow(name, at + HOUR, f"d{number}", "email_sent", decision_id=row.decision_id)
                    writing.touchpoints([sent])


def _put(writing: Any, row: DecisionRow) -> None:
    writing.decisions([row])


@cache
def belief(*, account: bool = False) -> Belief:
    """A belief about conversion and churn; also by what a contact's account does."""
    features = replace(scale_worlds.BASE, account=account)
    rng = np.random.default_rng(3)
    X = rng.exponential(3.0, (200, len(features.columns))).astype(np.float32)
    if account:
        X[rng.random(200) < 0.3, -len(features.account_features) :] = np.nan
    score = np.nan_to_num(X[:, -3:]).sum(axis=1) if account else X[:, :5].sum(axis=1)
    y = rng.random(200) < 0.2 + 0.5 * (score > np.median(score))
    as_of = np.sort(rng.integers(0, 12, 200)) * 14 * DAY
    params = {"num_leaves": 6, "num_threads": 1}
    model = Propensity.fit(X, y, as_of, as_of + DAY, np.arange(200), columns=features.columns, params=params)
    manifest = {
        "features": features.to_json(),
        "goals": {
            "conversion": _goal({"mail": {"shift": 0.4, "n": 100}, "call": {"shift": 0.9, "n": 90}}),
            "churn": {**_goal({}), "is_absence": True, "grades": [0.2, 0.4]},
        },
        "actions": {},
        "policies": {"serves": "learned", "evidence": "observational"},
    }
    return Belief(Bundle(manifest, {"conversion": model, "churn": model}, None, "0" * 64), "7")


def _goal(effects: dict[str, Any]) -> dict[str, Any]:
    return {
        "is_absence": False, "linked": False, "horizon_us": DAY, "base_rate": 0.3, "success_value": 50.0,
        "grades": [0.2, 0.3, 0.4], "own": None, "after_kind": None, "effects": effects,
    }  # fmt: skip
