"""A contact policy, a contact and its surroundings as a dice would have them, for the machine that tries them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from features.times import HOUR, iso
from models.estimate import Estimate
from nba.tables.surroundings import Alone
from nba.tables.tables import Asset
from tests.nba.policy_oracle import ACTIONS, Fact, World

CHANNELS = ["email", "phone", "letter"]
WORDS = [
    ("consent_given", "consent_confirmed"),
    ("consent_given",),
    ("consent_presumed",),
    ("consent_presumed", "unsubscribed", "consent_presumed"),
]
CONTACTS = ["crm:1", "crm:2", "crm:24"]
"""In no holdout of the second quarter of 2026, in one of a half, and in one of 2 % as well."""
RULES = (
    "eligibility", "owned", "season", "consent", "preference", "partner", "hold", "quiet", "calendar", "cap", "paused",
    "capacity", "excluded",
)  # fmt: skip
MODES = ("mode learned", "mode constant", "mode points", "mode default", "holdout True", "degraded True")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass
class Belief:
    """A model that believes what a seed makes it believe, or that breaks."""

    seed: int
    serves: str = "learned"
    is_broken: bool = False
    version: str = "1"
    manifest: dict[str, Any] = field(default_factory=lambda: {"goals": {}})

    def estimate(self, touchpoints, traits, as_of, candidates, *, explain=False) -> Estimate:
        if self.is_broken:
            raise ValueError("the model is broken")
        chance = np.random.default_rng([self.seed, as_of]).random((3, len(candidates)))
        return Estimate(None, {}, {}, chance[0], chance[1], ("logged",) * len(candidates), effect_error=chance[2])


@dataclass
class Surroundings(Alone):
    """What the world says of everything around the contact, strictly before a moment."""

    world: World
    as_of: int

    def assets(self):
        return [Asset(f"a{n}", product) for n, product in enumerate(self.world.devices)]

    def account_approaches(self, since: int):
        return sorted(each for each in self.world.colleagues if since <= each[0] < self.as_of)

    def taken(self, action: str, since: int, by: str | None) -> int:
        choices = [*self.world.mine, *(o for o in self.world.others if by is None or o.owner == "ann")]
        out = [c for c in choices if c.action == action and c.placement == "outbound"]
        return sum(at is not None and since <= at < self.as_of for at in (c.counts_from() for c in out))


def some_policy(seed: int) -> dict[str, Any]:
    """Return rules as a dice would write them."""
    dice = Random(seed)

    def some_cap() -> dict[str, Any]:
        cap: dict[str, Any] = {"days": dice.choice([1, 2, 7]), "count": dice.randint(1, 4)}
        cap |= {"channel": dice.choice(CHANNELS)} if dice.random() < 0.4 else {}
        return cap | ({"account": True} if dice.random() < 0.5 else {})

    return {
        "caps": [some_cap() for _ in range(dice.randint(0, 3))],
        "quiet": dice.choice([None, {"from": 9, "to": 15}, {"from": dice.randint(18, 23), "to": dice.randint(5, 9)}]),
        "quiet_channels": dice.choice([[], ["email"], ["phone", "letter"]]),
        "calendar": dice.choice(
            [
                None,
                None,
                {
                    "days": {*range(7)} - {dice.randint(0, 6), 6},
                    "holidays": dice.random() < 0.5,
                    "freeze": (date(2026, 4, day := dice.randint(3, 25)), date(2026, 4, day + 2)),
                },
            ]
        ),
        "pauses": [
            {
                "outcome": dice.choice(["rejected", "no_need"]),
                "count": dice.randint(1, 3),
                "within": dice.choice([2, 10]),
                "pause": dice.choice([1, 8]),
                "scope": dice.choice(["action", "channel", "topic"]),
            }
            for _ in range(dice.randint(0, 2))
        ],
        "complaints_hold": dice.random() < 0.3,
        "consent": {
            "email": dice.choice(["opt_in", "double_opt_in", "opt_out"]),
            "phone": {"business": "presumed", "consumer": "opt_in"},
            "letter": dice.choice(["opt_out", "opt_in"]),
        },
    }


def some_traits(seed: int) -> dict[str, Any]:
    """Return traits as a dice would."""
    dice = Random(seed)
    found = {
        "timezone": dice.choice([None, "Asia/Tokyo", "America/New_York"]),
        "person_type": dice.choice([None, "business", "consumer"]),
        "account": dice.choice([None, "acme"]),
        "partner": dice.choice([None, None, "north"]),
        "recalled": dice.random() < 0.4,
        "contract": dice.random() < 0.2,
    }
    return {"owner": "ann"} | {name: value for name, value in found.items() if value is not None}


def some_life(dice: Random, start: int, hours: int) -> list[Fact]:
    """Return what happened with a contact in the hours from a moment on."""
    found, now = list[Fact](), start
    while (now := now + dice.choice([0, 1, HOUR, 5 * HOUR, 24 * HOUR])) < start + hours * HOUR:
        channel, action = dice.choice(CHANNELS), dice.choice(sorted(ACTIONS))
        kind = dice.choice(_KINDS)
        properties: dict[str, Any] = {}
        if kind in ("consent_given", "consent_confirmed", "consent_presumed", "unsubscribed"):
            properties = {"channel": channel, "ground": dice.choice(["customer", ""])}
        elif kind == "preference":
            at_most = dice.choice(["any", "any", "1/2d", "2/7d", "never"])
            properties = {"channel": channel, "topic": dice.choice([None, "pumps"]), "at_most": at_most}
        elif kind in ("complaint", "complaint_closed"):
            properties = {"case_id": dice.choice([None, "1", "2"])}
        elif kind in ("order", "return"):
            properties = {"product_id": dice.choice(["contract", "pump"])}
        elif kind == "snoozed":
            properties = {"until": iso(now + dice.randint(0, 9) * 24 * HOUR)}
        is_ours, is_outcome = kind == "sent", kind in ("rejected", "no_need", "snoozed", "accepted")
        found.append(
            Fact(
                now,
                kind,
                channel=channel if is_ours or is_outcome else None,
                outbound=is_ours,
                action=action if is_outcome or (is_ours and dice.random() < 0.5) else None,
                decision=f"d{dice.randint(0, 3)}" if is_outcome else None,
                topics=tuple(dice.sample(["pumps", "valves"], dice.randint(0, 2))) if is_ours else (),
                properties=properties,
            )
        )
    return found


_KINDS = [
    *["sent"] * 8, *["visit"] * 3, *["rejected"] * 3, *["no_need"] * 2, "snoozed", "accepted", "order", "return",
    "consent_given", "consent_confirmed", "consent_presumed", "unsubscribed", "preference", "complaint",
    *["complaint_closed"] * 3,
]  # fmt: skip


def written(policy: dict[str, Any], ranking: dict[str, Any], mode: str) -> dict[str, Any]:
    """The settings as they would stand in the file."""
    quiet, calendar = policy["quiet"], policy["calendar"]
    found: dict[str, Any] = {
        "timezone": "Europe/Zurich",
        "caps": [{"per": f"{c['days']}d", **{k: v for k, v in c.items() if k != "days"}} for c in policy["caps"]],
        "pauses": [p | {"within": f"{p['within']}d", "pause": f"{p['pause']}d"} for p in policy["pauses"]],
        "holds": [{"kind": "hands_off"}],
        "consent": policy["consent"],
    }
    if policy["complaints_hold"]:
        found["holds"].append({"open": "complaint", "until": "complaint_closed", "except": ["receipt"]})
    if quiet is not None:
        found["quiet"] = {"from": f"{quiet['from']:02}:00", "to": f"{quiet['to']:02}:00"}
        found["quiet"] |= {"channels": policy["quiet_channels"]} if policy["quiet_channels"] else {}
    if calendar is not None:
        first, last = calendar["freeze"]
        found["calendar"] = {"days": [DAYS[day] for day in calendar["days"]], "freeze": [f"{first}/{last}"]}
        found["calendar"] |= {"holidays": "CH-ZH"} if calendar["holidays"] else {}
    return {
        "actions": ACTIONS,
        "points": {
            "kinds": {"visit": 5, "order": 100},
            "thresholds": [{"below": 50, "actions": ["mail", "letter"]}, {"from": 50, "actions": ["call", "offer"]}],
        },
        "contact_policy": found,
        "ranking": ranking,
        "partners": {"mode": mode},
    }


seeds = st.integers(0, 2**40)
rankings = st.fixed_dictionaries(
    {
        "policy": st.sampled_from(["greedy", "epsilon", "thompson", "points"]),
        "epsilon": st.sampled_from([0.0, 0.02, 1.0]),
        "holdout": st.sampled_from([0.0, 0.02, 0.5]),
        "sticky": st.sampled_from(["1d", "7d"]),
    }
)
beliefs = st.none() | st.builds(
    Belief,
    st.integers(0, 99),
    st.sampled_from(["learned", "learned", "constant:call", "uniform", "points"]),
    st.sampled_from([False, False, True]),
)
