"""A small shop to plan a day for: owners, dealers, accounts, approaches before, slots taken, a wish, an objection."""

import json

import numpy as np

from features.rows.row_types import ContactRow, DecisionRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, HOUR, parse_time

AS_OF = parse_time("2026-06-18T06:00:00Z")
"""08:00 in Zurich on the day that is planned."""
DAY_PLANNED = "2026-06-18"

TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
value = 100
[goals.churn]
absence_of = ["order"]
horizon = "90d"
[actions.call]
channel = "phone"
cost = { trait = "distance", otherwise = 1 }
value = 600
capacity = { per = "1d", count = 4, by = "owner" }
[actions.visit]
channel = "visit"
value = 900
cost = { trait = "distance", otherwise = 1 }
executor = "partner"
capacity = { total = 9 }
[actions.mail]
channel = "email"
topics = ["pumps"]
cost = 0.1
[actions.news]
channel = "email"
value = 60
[actions.keep]
channel = "phone"
goal = "churn"
[actions.recall]
channel = "letter"
class = "mandatory"
cost = 2
needs = { seen = ["recalled"] }
[contact_policy]
timezone = "Europe/Zurich"
caps = [{ channel = "email", per = "7d", count = 1 }, { per = "30d", count = 3 },
        { account = true, per = "7d", count = 4 }]
consent = { phone = "opt_out", profiling = "opt_out" }
[ranking]
holdout = 0
[scale]
partitions = 4
"""
TABLE = """
[points]
kinds = { visit = 5, download = 100 }
thresholds = [{ below = 100, actions = ["recall", "news"] }, { from = 100, actions = ["call", "mail"] }]
"""
OPEN = '[partners]\nmode = "inform"\nvisible_to_owner = "contact"\n'


def write(store: Store, *, seed: int = 0, n: int = 60) -> None:
    """Put ``n`` contacts into a store, with what was done for some of them this morning and before."""
    rng = np.random.default_rng(seed)
    names = [f"crm:{i:02}" for i in range(n)]
    with store.writing() as writing:
        writing.contacts([_contact(rng, name, i) for i, name in enumerate(names)])
        writing.touchpoints([row for name in names for row in _touchpoints(rng, name)])
        writing.touchpoints(_special(names))
        writing.decisions([_decision(name, i) for i, name in enumerate(names[:3])])


def _contact(rng: np.random.Generator, name: str, i: int) -> ContactRow:
    traits = {
        "owner": [None, "ann", "bob"][rng.integers(3)],
        "partner": [None, None, "north", "south"][rng.integers(4)],
        "account": None if i % 5 == 0 else f"a{rng.integers(15)}",
        "distance": round(float(rng.uniform(0, 25)), 2),
    }
    return ContactRow(name, AS_OF - 90 * DAY, {key: value for key, value in traits.items() if value is not None})


def _touchpoints(rng: np.random.Generator, name: str) -> list[TouchpointRow]:
    kinds = [("visit", 0.5), ("download", 0.2), ("order", 0.2), ("email_sent", 0.1)]
    drawn = rng.choice(len(kinds), 5, p=[chance for _, chance in kinds])
    return [
        TouchpointRow(
            name,
            int(AS_OF - rng.integers(1, 60 * 24) * HOUR),
            f"{name}-{i}",
            kinds[kind][0],
            channel="email" if kinds[kind][0] == "email_sent" else "web",
            topics=json.dumps(["pumps"]),
            value=float(rng.integers(20, 200)) if kinds[kind][0] == "order" else None,
        )
        for i, kind in enumerate(drawn.tolist())
    ]


def _special(names: list[str]) -> list[TouchpointRow]:
    at = AS_OF - 2 * DAY
    wish = json.dumps({"at_most": "1/30d"})
    return [
        *(TouchpointRow(name, at, f"recalled-{name}", "recalled") for name in names[3:8]),
        *(TouchpointRow(name, at, f"wish-{name}", "preference", properties=wish) for name in names[8:20]),
        *(TouchpointRow(name, at, f"out-{name}", "unsubscribed", channel="phone") for name in names[20:24]),
    ]


def _decision(name: str, i: int) -> DecisionRow:
    """A call that was made for us this morning."""
    chances = {"do_nothing": 0.5, "call": 0.5}
    return DecisionRow(f"d{i}", name, AS_OF - HOUR, "call", 0.5, tuple(chances), "epsilon", chances=chances)
