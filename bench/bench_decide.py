"""The decision logic for one contact: gates, worth, draw; from features and scores that are there.

One contact with 200 touchpoints, 20 actions and every kind of rule in use: caps of channel, contact and account, quiet
hours, a calendar with holidays, pauses, holds, consent per channel, partners, capacities, segments, needs, and every
form of ``when``. The model's answer is prepared, as are points and stages by rule; history and tables are in memory.

============ ==========================================================================================================
``logic``    gates, worth and draw from what is known of the contact: features, scores, and the facts that rules look at
``facts``    these facts, found in the history once for all actions: consent, approaches, occasions, segments, cases,
             margin of the year
``decision`` everything from the history's columns to the answer: facts, logic, points and stages by rule, reasons
============ ==========================================================================================================

Times are by the clock and of the processor, which other work on the machine disturbs less. It still does where two
processors share a core: then p10, which a tenth of all rounds keep to, tells more. The floor is for the median of the
processor's time. Run it with ``make bench-decide`` or ``python bench/bench_decide.py``; ``--strict`` exits with 1 where
the logic misses its floor.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from features.rows.row_types import DecisionRow
from features.times import DAY, HOUR, iso, parse_time
from features.touchpoints.touchpoints import Touchpoints
from models.estimate import Candidate, Estimate
from nba.actions import Catalogue
from nba.choice import drawn, rung_of
from nba.consent import Ledger
from nba.contact_policy import allowed
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past
from nba.priority import terms_of
from nba.request import Request
from nba.settings import parse_settings
from nba.situation import Situation
from nba.standing import standing
from nba.sticky import judged
from nba.tables.tables import Asset, Event, Partner, Product, Tables

AS_OF = parse_time("2026-06-16T09:00:00Z")
CONTACT = "crm:4711"
FLOOR = 150.0
LINES = ("gates", "worth", "draw", "logic", "facts", "decision")
Timer = Callable[[], int]
TIMERS: dict[str, Timer] = {"processor": time.thread_time_ns, "clock": time.perf_counter_ns}
SETTINGS = (Path(__file__).parent / "decide.toml").read_text(encoding="utf-8")
CATALOGUE = Catalogue.of(parse_settings(SETTINGS))
DRAW = Draw(b"bench")
CHANNELS = {"email": "email_sent", "phone": "call_made", "letter": "letter_sent"}


def touchpoints(n: int) -> Touchpoints:
    """Make up a year of a contact that reads, buys, complains, agrees and is written to."""
    rng = np.random.default_rng(n)
    told = [
        ("consent_given", "email", {}), ("consent_confirmed", "email", {}), ("rejected", "email", {}),
        ("consent_presumed", "phone", {"ground": "met at a fair"}), ("complaint", None, {}),
        ("complaint_closed", None, {}), ("order", "shop", {}), ("order", "shop", {}), ("order", "shop", {}),
    ]  # fmt: skip
    kinds = ("page_view", "visit", "newsletter_open", "download", "service_call")
    told += [(kinds[rng.integers(5)], "web", {}) for _ in range(n - len(told) - 30)]
    told += [(CHANNELS[channel], channel, {}) for channel in rng.choice(list(CHANNELS), 29)]
    told.append(("fair_visit", None, {}))
    at = AS_OF - np.sort(rng.integers(2 * HOUR, 365 * DAY, len(told)))[::-1]
    rows = [row(at, i, *each) for i, (at, each) in enumerate(zip(at.tolist(), told, strict=True))]
    return Touchpoints.from_rows(sorted(rows, key=lambda each: each[1]), CATALOGUE.settings.touchpoints)


def row(at: int, i: int, kind: str, channel: str | None, properties: dict[str, str]) -> tuple[Any, ...]:
    """One touchpoint as the store reads it."""
    topics = '["pumps/industrial"]' if i % 2 else '["service"]'
    value = 300.0 if kind == "order" else None
    action = "mail_1" if kind in ("rejected", "email_sent") else None
    text = '{"ground": "met at a fair"}' if properties else None
    return (CONTACT, at, f"t{i:04}", kind, channel, None, topics, value, None, None, None, None, action, text)


class Around:
    """What lies around the contact, in memory."""

    def __init__(self) -> None:
        self._tables = Tables(
            products={"p1": Product("p1", ("pumps",), 0.4)},
            events={f"e{i}": Event(f"e{i}", AS_OF + i * 10 * DAY, topics=("pumps",)) for i in range(1, 6)},
            partners={"dealer:1": Partner("dealer:1", territory=("CH",))},
        )
        self._assets = (Asset("a1", "p1", more={"next_service_on": iso(AS_OF + 5 * DAY)[:10]}), Asset("a2", "p2"))

    def tables(self) -> Tables:
        """Return a few of each."""
        return self._tables

    def assets(self) -> Sequence[Asset]:
        """Return two devices."""
        return self._assets

    def account_approaches(self, since: int) -> Sequence[tuple[int, str | None]]:
        """Return a dozen."""
        return [(at, "email") for at in range(AS_OF - 6 * DAY, AS_OF, DAY // 2) if at >= since]

    def taken(self, action: str, since: int, by: str | None) -> int:
        """Return some."""
        return 12

    def invited(self, event_id: str, actions: Collection[str], since: int) -> Collection[str]:
        """Return nobody."""
        return ()


class Prepared:
    """A belief that has answered already."""

    serves, version = "learned", "1"
    manifest: dict[str, Any] = {"goals": {"conversion": {"success_value": 120.0}, "churn": {}}}  # noqa: RUF012 - nobody writes to it

    def __init__(self) -> None:
        rng, k = np.random.default_rng(0), len(CATALOGUE.actions)
        without = np.full(k, 0.05)
        self.estimated = Estimate(
            stage="evaluate",
            propensities={"conversion": 0.12, "churn": 0.2},
            grades={"conversion": "B", "churn": "medium"},
            propensity=without + rng.normal(0.02, 0.02, k).clip(-0.04),
            without_action=without,
            evidence=("randomised",) * k,
            effect_error=rng.uniform(0.005, 0.03, k),
            learnt_stages=("need", "evaluate", "purchase"),
        )

    def estimate(
        self, touchpoints: Touchpoints, traits: Any, as_of: int, candidates: Sequence[Candidate], **_: Any
    ) -> Estimate:
        """Return the answer."""
        return self.estimated


@dataclass(frozen=True)
class Case:
    """A contact, asked about again and again as if for the first time."""

    past: Past
    belief: Prepared
    request: Request

    @classmethod
    def of(cls, n: int) -> Case:
        """Make up a contact with ``n`` touchpoints."""
        traits = {
            "account": "acme", "partner": "dealer:1", "person_type": "business", "country": "CH",
            "timezone": "Europe/Zurich", "born_on": "1980-06-15", "contract_ends_on": iso(AS_OF + 20 * DAY)[:10],
        }  # fmt: skip
        earlier = [
            DecisionRow(
                f"d{i}", CONTACT, AS_OF - i * 9 * DAY, "mail_2", 0.5, chances={"do_nothing": 0.5, "mail_2": 0.5}
            )
            for i in range(1, 5)
        ]
        past = Past(touchpoints(n), traits, tuple(reversed(earlier)), around=Around())
        return cls(past, Prepared(), Request(CONTACT))

    def fresh(self) -> Past:
        """Return the past with nothing worked out yet."""
        return replace(self.past)

    def logic(self, timer: Timer) -> tuple[float, ...]:
        """Microseconds of the facts and of each part of the logic."""
        past, estimated, settings = self.fresh(), self.belief.estimated, CATALOGUE.settings
        rules = standing(self.past, settings, AS_OF)
        times = [timer()]
        ledger = Ledger(past.touchpoints, AS_OF, CATALOGUE.channel_of)
        known = past if ledger.may_profile(settings.contact_policy.consent) else Past.nothing()
        situation = Situation(
            CATALOGUE, self.request, past, known, AS_OF, ledger, rules.total, estimated.stage, None,
            estimated.propensities, model_version="1",
        )  # fmt: skip
        allowed(situation)
        _ = situation.margin_year
        times.append(timer())
        # Again, with everything worked out that the gates look at.
        found = judged(situation)
        times.append(timer())
        terms = terms_of(found.situation, estimated, {"conversion": 120.0})
        times.append(timer())
        rung = rung_of(found.situation, found.verdict, "learned")
        drawn(found.situation, found.verdict, terms, rung, DRAW)
        times.append(timer())
        facts, *parts = (1e-3 * (end - begin) for begin, end in pairwise(times))
        # The first pass through the gates found the facts and then did what the second did.
        return (facts - parts[0], *parts)

    def whole(self, timer: Timer) -> float:
        """Microseconds of a whole decision: with points, stages by rule, reasons and times of the offers."""
        past = self.fresh()
        began = timer()
        decide(self.request, past, self.belief, CATALOGUE, AS_OF, DRAW)  # type: ignore[arg-type] # stands in for a belief
        return 1e-3 * (timer() - began)


def measure(case: Case, seconds: float) -> dict[str, dict[str, list[float]]]:
    """Return the microseconds of every round by part, for each timer; rounds take turns between them."""
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in TIMERS}
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends or len(found["clock"]) < 100:
        for name, timer in TIMERS.items():
            facts, *parts = case.logic(timer)
            found[name].append((*parts, sum(parts), facts, case.whole(timer)))
    return {name: dict(zip(LINES, map(list, zip(*rounds, strict=True)), strict=True)) for name, rounds in found.items()}


def main() -> None:
    """Print what a decision costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long it is measured")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where the floor is missed")
    options = parser.parse_args()
    case = Case.of(200)
    decision = decide(replace(case.request, explain=True), case.fresh(), case.belief, CATALOGUE, AS_OF, DRAW)  # type: ignore[arg-type] # stands in for a belief
    offered, removed = len(decision.chances) - 1, sorted({each.rule for each in decision.verdict.refusals})
    print(f"one contact, {len(case.past.touchpoints)} touchpoints, {len(CATALOGUE.actions)} actions, policy thompson")
    print(f"{offered} actions are allowed, the others removed by {', '.join(removed)}\n")
    found = measure(case, options.seconds)
    print(f"{'microseconds':>14}" + "".join(f" {name:>10} {'p10':>8} {'p99':>8}" for name in TIMERS))
    for line in LINES:
        shown = (found[name][line] for name in TIMERS)
        print(
            f"{line:>14}"
            + "".join(
                f" {statistics.median(us):>10.1f} {np.quantile(us, 0.1):>8.1f} {np.quantile(us, 0.99):>8.1f}"
                for us in shown
            )
        )
    print(f"\nfloor of the logic: {FLOOR:g}")
    sys.exit(options.strict and statistics.median(found["processor"]["logic"]) > FLOOR)


if __name__ == "__main__":
    main()
