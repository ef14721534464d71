"""A small world for views and exports: partners of every kind, linked visitors, decisions, outcomes, promotions."""

import json
import random
from dataclasses import dataclass, field, replace
from typing import Any

from features.rows.row_types import (
    ContactRow,
    DecisionRow,
    LinkRow,
    OutcomeRow,
    QuarantineRow,
    RecordRow,
    ScoreRow,
    TouchpointRow,
)
from features.store import audit
from features.store.store import Store
from features.times import DAY
from nba.settings import parse_settings

NOW = 1_764_000_000_000_000
WHOLE, NOTHING = "whole", "nothing"
PARTLY = frozenset({"stage", "propensities", "timeline"})

SETTINGS = parse_settings(
    '[goals.conversion]\nkinds = ["order"]\nhorizon = "30d"\n[goals.churn]\nabsence_of = ["order"]\nhorizon = "60d"\n',
    environ={},
)

PARTNERS = [
    RecordRow("north", 1, {"name": "North Tools"}),
    RecordRow("partly", 1, {"visible": json.dumps(sorted(PARTLY))}),
    RecordRow("open", 1, {"visible": '["contact"]'}),
    RecordRow("over", 1, {"agreement_to": "2025-01-01"}),
    RecordRow("dealer", 1, {"account": "dealer ag"}),
]
SIGHT: dict[str | None, Any] = {
    **dict.fromkeys((None, "open", "over"), WHOLE),
    **dict.fromkeys(("north", "unlisted", "dealer"), NOTHING),
    "partly": PARTLY,
}  # fmt: skip


@dataclass
class World:
    """What was put into the store, as plain rows, and whom the owner should see."""

    partner: dict[str, str | None] = field(default_factory=dict)
    """Of each contact, by its name; None where it is the owner's or the agreement is over."""
    named: dict[str, str | None] = field(default_factory=dict)
    account: dict[str, str | None] = field(default_factory=dict)
    contact_of: dict[str, str] = field(default_factory=dict)
    touchpoints: list[TouchpointRow] = field(default_factory=list)
    decisions: list[DecisionRow] = field(default_factory=list)
    outcomes: list[OutcomeRow] = field(default_factory=list)
    scores: list[ScoreRow] = field(default_factory=list)
    quarantined: list[QuarantineRow] = field(default_factory=list)

    def sight(self, identity: str) -> Any:
        """What the owner sees of the contact behind an identity."""
        contact = self.contact_of[identity]
        named = self.named[contact]
        if named == "dealer" and self.account[contact] == "dealer ag":
            return WHOLE
        return SIGHT[named]

    def sees(self, identity: str, part: str) -> bool:
        """Whether the owner sees a part of it."""
        sight = self.sight(identity)
        return sight == WHOLE or (sight != NOTHING and part in sight)


def fill(store: Store, contacts: int = 60, happenings: int = 400, decisions: int = 900) -> World:
    """Put a world into an empty store."""
    dice, world = random.Random(1), World()
    names = [f"crm:{i}" for i in range(contacts)]
    rows, links = [], []
    for i, name in enumerate(names):
        named = [None, None, None, None, "north", "partly", "open", "over", "unlisted", "dealer"][i % 10]
        account = "dealer ag" if i == 19 else f"acme {i % 13}" if i % 3 else None
        owner = "lee" if i % 4 == 0 else None
        body = {"partner": named, "account": account, "owner": owner, "name": f"Name {i}"}
        rows.append(ContactRow(name, NOW - DAY, {key: value for key, value in body.items() if value is not None}))
        world.named[name], world.account[name], world.contact_of[name] = named, account, name
        kept = named if named != "over" and not (named == "dealer" and account == "dealer ag") else None
        world.partner[name] = kept
        if i % 2:
            links.append(LinkRow(f"cookie:{i}", name, NOW - 20 * DAY, "login"))
            world.contact_of[f"cookie:{i}"] = name
    world.contact_of["cookie:stray"] = "cookie:stray"
    world.named["cookie:stray"] = world.account["cookie:stray"] = world.partner["cookie:stray"] = None
    _happenings(world, dice, happenings)
    _choices(world, dice, names, decisions)
    world.scores = [_score(dice, name) for name in [*names, "cookie:stray"]]
    world.quarantined = [
        QuarantineRow("touchpoints", f"[{n // 2}]", f"kind {n} is empty", "kind is empty", NOW - n * DAY, nth=n % 2)
        for n in range(9)
    ]  # fmt: skip
    with store.writing() as writing:
        writing.records("partners", PARTNERS)
        writing.contacts(rows)
        writing.links(links)
        writing.touchpoints(world.touchpoints)
        writing.decisions(world.decisions)
        writing.outcomes(world.outcomes)
        writing.quarantine(world.quarantined)
        _promotions(writing)
    store.save_scores(world.scores)
    return world


def _happenings(world: World, dice: random.Random, n_of_them: int) -> None:
    for n in range(n_of_them):
        identity = dice.choice([*world.contact_of])
        row = TouchpointRow(
            identity, NOW - dice.randrange(1, 40 * DAY), f"t{n}", dice.choice(["visit", "order", "download"]),
            channel=dice.choice(["web", "email", None]), topics=dice.choice([None, '["pumps"]', '["pumps","a, b"]']),
            value=dice.choice([None, 12.5]), source="web",
        )  # fmt: skip
        world.touchpoints.append(row)
        if n % 40 == 0:
            world.touchpoints.append(row._replace(touchpoint_id=f"again {n}", source="crm"))
    world.touchpoints.append(TouchpointRow("crm:0", -1_500_000, "old", "visit", decision_id="d3"))
    world.touchpoints.append(TouchpointRow("crm:4", NOW - 50 * DAY, "kept kind", "secret_kind"))


def _choices(world: World, dice: random.Random, names: list[str], n_of_them: int) -> None:
    for n in range(n_of_them):
        name, action = dice.choice(names), dice.choice(["sales_call", "newsletter", "do_nothing"])
        row = DecisionRow(
            f"d{n}", name, NOW - dice.randrange(1, 30 * DAY), action, probability=dice.random(),
            policy=dice.choice(["epsilon", "epsilon", "epsilon", "repeat"]), chances={action: 1.0},
            mode=dice.choice(["learned", "points"]), placement=dice.choice(["outbound", None, "infocenter"]),
            model_version=dice.choice(["1", "2", None]), deferred=dice.random() < 0.2, holdout=dice.random() < 0.4,
        )  # fmt: skip
        if row.deferred and dice.random() < 0.5:
            row = replace(row, activated_at=row.decided_at + 5)
        world.decisions.append(replace(row, chances=None, policy="past") if n % 10 == 9 else row)
        if dice.random() < 0.5:
            outcome = dice.choice(["accepted", "converted", "rejected", "opened"])
            late = dice.choice([0, 3 * DAY])
            world.outcomes.append(
                OutcomeRow(f"f{n}", row.decision_id, outcome, row.decided_at, row.decided_at + late, value=float(n))
            )
    world.outcomes.append(OutcomeRow("fp", "not yet", "converted", NOW - DAY, NOW - DAY))


def _score(dice: random.Random, name: str) -> ScoreRow:
    chance = dice.random()
    body: dict[str, object] = {
        "p_conversion": chance, "p_churn": 0.25, "expected_value": 10.0, "action_1": "sales_call", "priority_1": 10.0,
        "action_2": "newsletter", "priority_2": 1.5, "action_3": None, "priority_3": None,
        "grades": {"conversion": "A" if chance > 0.5 else "D"},
        "before": {"as_of": 1, "model_version": "1", "p_conversion": 0.1},
    }  # fmt: skip
    return ScoreRow(name, NOW - 7, dice.choice(["evaluate", None]), dice.choice([5.0, None]), body, "2")


def _promotions(writing: Any) -> None:
    def act(n: int, what: str, version: str, details: dict[str, object] | None = None) -> int:
        at, subject = NOW - 10 * DAY + n, f"version {version} of nba"
        said = audit.append(
            writing, at=at, by=f"who {n}", what=what, subject=subject, reason=f"why {n}", details=details
        )
        return said.number

    act(1, "promotion", "1")
    act(2, "promotion", "2")
    failed = act(3, "promotion", "3")
    act(4, "promotion failed", "3", {"entry": failed})
    audit.append(writing, at=NOW, by="x", what="erasure", subject="a contact", reason="asked")
    act(5, "rollback", "1")
