"""Show: whatever happens in whatever order, no action that may be drawn breaks a rule, and every refusal names one."""

import json
import re
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any, ClassVar, cast

import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from features.rows.row_types import DecisionRow
from features.times import DAY, HOUR, iso, parse_time
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.actions import DO_NOTHING, Catalogue
from nba.decision import Decision
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past
from nba.request import Request
from nba.settings import parse_settings
from tests.nba.policy_dice import (
    CHANNELS,
    CONTACTS,
    MODES,
    RULES,
    WORDS,
    Belief,
    Surroundings,
    beliefs,
    rankings,
    seeds,
    some_life,
    some_policy,
    some_traits,
    written,
)
from tests.nba.policy_oracle import ACTIONS, Chosen, Fact, World

START = parse_time("2026-04-01T06:00:00Z")
TOLD = [*["done", "rejected", "no_need"] * 2, "opened", "accepted", "snoozed", "wrong_number"]
CAP = re.compile(r"cap(:account)?:\w+/\w+")


class Machine(RuleBasedStateMachine):
    """A contact to whom things happen; at every step everything that could be done is checked."""

    world: World
    now: int
    logged: list[DecisionRow]
    belief: Belief | None
    contact: str
    seen: ClassVar[Counter[str]] = Counter()

    @initialize(
        policy=seeds.map(some_policy),
        traits=seeds.map(some_traits),
        ranking=rankings,
        mode=st.sampled_from(["partner_only", "partner_first", "inform", "direct"]),
        agreed=st.sampled_from([CHANNELS, CHANNELS, CHANNELS, ["email"], []]),
        words=st.sampled_from(WORDS),
        later=st.integers(0, 30 * 24),
        belief=beliefs,
        life=seeds,
        contact=st.sampled_from(CONTACTS),
    )
    def begin(self, policy, ranking, mode, traits, agreed, words, later, belief, life, contact) -> None:
        self.belief, self.contact = belief, contact
        self.world = World(policy, int(ranking["sticky"][:-1]) * DAY, mode, traits=traits)
        self.catalogue = Catalogue.of(parse_settings(written(policy, ranking, mode)))
        self.now, self.logged = START + later * HOUR, []
        for channel in agreed:
            for kind in words:
                self.happens(kind, channel=channel, properties={"ground": "customer since 2019"})
                self.now += 1
        dice = Random(life)
        hours = dice.choice([0, 5 * 24, 12 * 24])
        self.world.facts += some_life(dice, self.now, hours)
        self.now += hours * HOUR
        for action in dice.choices(["call", "seat"], k=dice.choice([0, 2, 5])):
            ago = dice.choice([1, HOUR, 20 * HOUR])
            self.world.colleagues.append((self.now - ago, dice.choice(CHANNELS)))
            self.world.others.append(Chosen("of another", self.now - ago, action, dice.choice(["ann", "bob"])))

    def happens(self, kind: str, **more: Any) -> None:
        self.world.facts.append(Fact(self.now, kind, **more))

    @rule(hours=st.integers(1, 40), odd=st.sampled_from([0, 0, 1, -1]))
    def time_passes(self, hours: int, odd: int) -> None:
        self.now += hours * HOUR + odd

    @rule(nth=st.integers(1, 4), which=st.integers(0, 3), odd=st.integers(-1, 1))
    def time_passes_until_a_window_ends(self, nth: int, which: int, odd: int) -> None:
        days = [*(cap["days"] for cap in self.world.rules["caps"]), 10]
        for at in [fact.at for fact in self.world.facts if fact.outbound][-nth:][:1]:
            self.now = max(self.now, at + days[which % len(days)] * DAY + odd)

    @rule(kind=st.sampled_from([*["visit"] * 19, "hands_off"]))
    def comes(self, kind: str) -> None:
        self.happens(kind)

    @rule(belief=beliefs)
    def another_model_serves(self, belief: Belief | None) -> None:
        self.belief = belief

    @rule(
        channel=st.sampled_from(CHANNELS),
        action=st.none() | st.sampled_from(sorted(ACTIONS)),
        topics=st.lists(st.sampled_from(["pumps", "valves"]), max_size=2, unique=True).map(tuple),
        times=st.integers(1, 3),
    )
    def somebody_approaches(self, channel, action, topics, times) -> None:
        for _ in range(times):
            self.happens(f"{channel}_sent", channel=channel, outbound=True, action=action, topics=topics)

    @rule(
        kinds=st.lists(
            st.sampled_from(["consent_given", "consent_confirmed", "consent_presumed", "unsubscribed", "objection"]),
            min_size=1,
            max_size=3,
        ),
        about=st.sampled_from([*CHANNELS, *CHANNELS, None]),
        column=st.none() | st.sampled_from(CHANNELS),
        ground=st.sampled_from(["customer since 2019", "customer since 2019", ""]),
        apart=st.integers(0, 1),
    )
    def says_who_may_approach(self, kinds, about, column, ground, apart) -> None:
        for kind in kinds:
            self.happens(kind, channel=column, properties={"channel": about, "ground": ground})
            self.now += apart

    @rule(
        channel=st.none() | st.sampled_from(CHANNELS),
        topic=st.sampled_from([None, "pumps", "valves"]),
        at_most=st.sampled_from(["never", "any", "any", "1/2d", "2/7d"]),
    )
    def wishes(self, channel, topic, at_most) -> None:
        self.happens("preference", properties={"channel": channel, "topic": topic, "at_most": at_most})

    @rule(kind=st.sampled_from(["complaint", "complaint_closed"]), case=st.sampled_from([None, "1", "2"]))
    def complains(self, kind, case) -> None:
        self.happens(kind, properties={"case_id": case})

    @rule(kind=st.sampled_from(["order", "return"]), product=st.sampled_from(["contract", "pump"]))
    def buys(self, kind, product) -> None:
        self.happens(kind, properties={"product_id": product})

    @rule(products=st.sampled_from([["contract"], ["pump"], []]))
    def gets_and_gives_devices(self, products) -> None:
        self.world.devices = products

    @rule()
    def the_dealer_declines(self) -> None:
        self.happens("lead_declined", properties={"partner": "north"})

    @rule(changes=st.fixed_dictionaries({}, optional={"recalled": st.booleans(), "account": st.just("acme")}))
    def something_is_learnt_of_it(self, changes) -> None:
        self.world.traits |= changes
        self.world.traits_changed = self.now

    @rule(channel=st.sampled_from(CHANNELS), times=st.integers(1, 3))
    def a_colleague_is_approached(self, channel, times) -> None:
        self.world.colleagues += [(self.now, channel)] * times

    @rule(
        action=st.sampled_from(["call", "seat", "mail"]), owner=st.sampled_from(["ann", "bob"]), times=st.integers(1, 2)
    )
    def somebody_else_is_chosen(self, action, owner, times) -> None:
        self.world.others += [Chosen("of another", self.now, action, owner)] * times

    @rule(
        outcome=st.sampled_from(TOLD),
        nth=st.integers(0, 2),
        until=st.integers(-1, 5),
        times=st.integers(1, 3),
    )
    def an_outcome_comes(self, outcome, nth, until, times) -> None:
        made = [choice for choice in self.world.mine if choice.action != DO_NOTHING][-3:]
        for _ in range(times if made else 0):
            choice = made[nth % len(made)]
            self.happens(
                outcome,
                channel=ACTIONS[choice.action]["channel"],
                outbound=outcome == "done",
                action=choice.action,
                decision=choice.name,
                properties={"until": iso(self.now + until * DAY)},
            )

    @rule(nth=st.integers(0, 9))
    def a_choice_is_activated(self, nth) -> None:
        waiting = [choice for choice in self.world.mine if choice.deferred and choice.activated is None]
        for choice in waiting[nth % 3 :][:1]:
            choice.activated = self.now

    @rule(
        placement=st.sampled_from(["outbound", "outbound", "infocenter"]),
        exclude=st.lists(st.sampled_from(sorted(ACTIONS)), max_size=3, unique=True),
        defer=st.sampled_from([False, False, True]),
        hours=st.lists(st.sampled_from([0, 1, 5, 30]), min_size=1, max_size=4),
    )
    def somebody_asks(self, placement, exclude, defer, hours) -> None:
        for passed in hours:
            self.now += passed * HOUR + 1
            asked = {"placement": placement, "exclude": exclude, "defer": defer, "limit": 9}
            found = self.ask(asked)
            self.check(found, placement, exclude)
            # The service reads no more of decisions than this.
            whole, self.logged = self.logged, [row.brief for row in self.logged]
            brief, self.logged = self.ask(asked), whole
            assert (brief.to_json(), brief.row()) == (found.to_json(), found.row())
            if found.is_new:
                self.world.mine.append(Chosen(found.decision_id, self.now, found.action, "ann", placement, defer))
                self.logged.append(found.row(request_hash="0" * 64, answer=orjson.dumps(found.to_json())))
            exclude = [*exclude, *{found.action} & ACTIONS.keys()]

    def ask(self, asked: dict[str, Any]) -> Decision:
        request, belief = Request.from_json({"contact": self.contact, **asked}), cast(Any, self.belief)
        return decide(
            request, self.past(), belief, self.catalogue, self.now, Draw(b"secret"), report=lambda error: None
        )

    @invariant()
    def nothing_is_ever_broken(self) -> None:
        if hasattr(self, "world"):
            before = self.now
            for later, placement, exclude in (
                (1, "outbound", []),
                (7 * HOUR, "outbound", ["mail"]),
                (31 * HOUR, "infocenter", []),
            ):
                self.now = before + later
                asked = {"placement": placement, "exclude": exclude, "limit": 9}
                self.check(self.ask(asked), placement, exclude)
            self.now = before

    def past(self) -> Past:
        rows = [
            (
                self.contact, fact.at, f"t{n:05}", fact.kind, fact.channel, "outbound" if fact.outbound else "inbound",
                json.dumps(fact.topics) if fact.topics else None, None, None, None, None, fact.decision, fact.action,
                json.dumps(fact.properties) if fact.properties else None,
            )
            for n, fact in enumerate(self.world.facts)
        ]  # fmt: skip
        return Past(
            Touchpoints.from_rows(rows, TouchpointRules()),
            dict(self.world.traits),
            tuple(replace(row, activated_at=c.activated) for row, c in zip(self.logged, self.world.mine, strict=True)),
            traits_changed_at=self.world.traits_changed,
            around=Surroundings(self.world, self.now),
        )

    def check(self, found: Decision, placement: str, exclude: list[str]) -> None:
        again = None if found.is_new else found.decision_id
        broken = {a: self.world.broken(a, self.now, placement, exclude, again) for a in ACTIONS}
        may = {self.catalogue.names[column] for column in found.verdict.columns} - {DO_NOTHING}
        removed = {refusal.action: refusal for refusal in found.verdict.refusals}
        # People are told beforehand what to do when their hours begin.
        waits = {a: {"quiet", "calendar"} if ACTIONS[a].get("executor") else set() for a in may}
        assert {a: broken[a] for a in may if broken[a] - waits[a]} == {}, "allowed, and breaks a rule"
        assert may | removed.keys() == ACTIONS.keys() and not may & removed.keys()
        for action, refusal in removed.items():
            assert refusal.detail and (refusal.rule in RULES or CAP.fullmatch(refusal.rule)), refusal
            assert refusal.rule.partition(":")[0] in broken[action], (refusal, broken[action])
            assert refusal.until is None or refusal.until > self.now, refusal
        assert {found.action, *(offer.action for offer in found.recommendations)} <= may | {DO_NOTHING}
        assert sum(found.chances.values()) == pytest.approx(1, abs=1e-9) and min(found.chances.values()) >= 0
        assert found.chances[found.action] > 0
        assert not found.is_new or found.chances.keys() == may | {DO_NOTHING}
        for offer in found.recommendations:
            assert offer.not_before >= self.now and (offer.valid_until is None or offer.valid_until > offer.not_before)
            if placement == "outbound":
                assert self.world.is_an_hour_for(offer.action, offer.not_before)
                before = max(self.now, offer.not_before - 1)
                assert before == offer.not_before or not self.world.is_an_hour_for(offer.action, before)
        self.seen.update(refusal.rule.partition(":")[0] for refusal in removed.values())
        self.seen.update([*may, f"mode {found.mode}", f"holdout {found.holdout}", f"degraded {found.degraded}"])
        left = list(found.verdict.left.values())
        assert left == sorted(left, reverse=True) and left[-1] == len(may)


def run(examples: int, steps: int) -> None:
    many = settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    run_state_machine_as_test(Machine, settings=settings(many, suppress_health_check=list(HealthCheck)))


def test_no_rule_is_broken_in_a_few_lives() -> None:
    run(8, 25)


@pytest.mark.slow
def test_no_rule_is_broken_in_two_thousand_steps() -> None:
    Machine.seen.clear()
    while not {*ACTIONS, *RULES, *MODES} <= Machine.seen.keys():  # What never happened was not tried.
        run(50, 40)
