"""Actions: what may be done; ``[actions.*]``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from features.frozen import Frozen
from nba.settings import values
from nba.settings.conditions import Needs, read_needs
from nba.settings.known import Known
from nba.settings.occasions import Occasion, read_occasion
from nba.settings.table import Table

DO_NOTHING = "do_nothing"
"""The action that is always a candidate; no action of the file may be called so."""

INFOCENTER = "infocenter"
"""The placement that shows what to read next."""

PLACEMENTS = ("outbound", INFOCENTER)
"""The placements the service knows by itself; others are the caller's own words."""


@dataclass(frozen=True)
class CostByTrait:
    """A cost that a trait of the contact carries."""

    trait: str
    otherwise: float


@dataclass(frozen=True)
class Valid:
    """The season of an action: microseconds ``[from_, to)``; None is open."""

    from_: int | None = None
    to: int | None = None


@dataclass(frozen=True)
class Start:
    """Belief in an action before there are data, and its weight in decisions."""

    propensity: float = 0.03
    evidence: float = 200.0

    def error(self, propensity: float) -> float:
        """Return the standard error of a propensity of which nothing else is known: that of a Beta distribution.

        Examples
        --------
        >>> round(Start(evidence=200.0).error(0.03), 4)
        0.012
        """
        p = min(max(propensity, 0.0), 1.0)
        return math.sqrt(p * (1.0 - p) / (self.evidence + 1.0))


@dataclass(frozen=True)
class Capacity:
    """How often an action can be carried out: ``count`` in every ``per_us`` (each ``by``), or ``total``."""

    per_us: int | None = None
    count: int | None = None
    by: str | None = None
    total: int | None = None


@dataclass(frozen=True)
class Action:
    """One thing we may do."""

    name: str
    channel: str
    topics: tuple[str, ...] = ()
    cost: float | CostByTrait = 0.0
    value: float | None = None
    """Worth of a success; None: the goal's."""
    goal: str | None = None
    """Filled in: the goal it works for; None only where the file defines no goal."""
    stages: tuple[str, ...] = ()
    """Suitable stages; empty: all."""
    needs: Needs = field(default_factory=Needs)
    executor: str = "automation"
    placements: tuple[str, ...] = ("outbound",)
    valid: Valid = field(default_factory=Valid)
    class_: str = "default"
    start: Start | None = None
    capacity: Capacity | None = None
    unless_owned: str | None = None
    when: Occasion | None = None


def action_name(value: object) -> str:
    """Parse the name of an action."""
    name = values.text(value)
    if name == DO_NOTHING:
        raise ValueError("is always a candidate by itself; take this table out")
    return name


def read_actions(table: Table, known: Known) -> Mapping[str, Action]:
    """Read every action."""
    return Frozen({name: _read_action(name, child, known) for name, child in table.children(action_name)})


def _read_action(name: str, table: Table, known: Known) -> Action:
    action = Action(
        name=name,
        channel=table.require("channel", values.text, "", 'name the channel it goes out on, such as "email"'),
        topics=table.take("topics", values.texts, ()),
        cost=_read_cost(table),
        value=table.take("value", values.number(at_least=0), None),
        goal=table.take("goal", values.among("goal", tuple(known.goals)), known.usual_goal),
        stages=table.take("stages", values.some_of("stage", known.stages), ()),
        needs=read_needs(table.child("needs"), known),
        executor=table.take("executor", values.choice("automation", "sales", "partner"), "automation"),
        placements=table.take("placements", _placements, ("outbound",)),
        valid=_read_valid(table.child("valid")),
        class_=table.take("class", values.choice("default", "mandatory", "transactional"), "default"),
        start=_read_start(table.child("start")) if "start" in table else None,
        capacity=_read_capacity(table.child("capacity")) if "capacity" in table else None,
        unless_owned=table.take("unless_owned", values.text, None),
        when=read_occasion(table.child("when"), known) if "when" in table else None,
    )
    # A child that is not there has not been asked for, so that a misspelt key is offered these names too.
    table.knows("start", "capacity", "when")
    table.close()
    return action


def _read_cost(table: Table) -> float | CostByTrait:
    if not table.holds_table("cost"):
        return table.take("cost", _cost, 0.0)
    cost = table.child("cost")
    trait = cost.require("trait", values.text, "", 'name the trait that carries the cost, such as "visit_cost"')
    otherwise = cost.require("otherwise", values.number(at_least=0), 0.0, "say the cost of a contact without the trait")
    cost.close()
    return CostByTrait(trait, otherwise)


def _cost(value: object) -> float:
    try:
        return values.number(at_least=0)(value)
    except ValueError as error:
        raise ValueError(f'{error}, or {{ trait = "visit_cost", otherwise = 250 }}') from None


def _placements(value: object) -> tuple[str, ...]:
    found = values.some_texts(value)
    for name in found:
        near = get_close_matches(name, PLACEMENTS, n=1, cutoff=0.8)
        if near and name not in PLACEMENTS:
            raise ValueError(f"{values.show(name)} is not a placement; did you mean {values.show(near[0])}?")
    return found


def _read_valid(table: Table) -> Valid:
    valid = Valid(table.take("from", values.moment, None), table.take("to", values.moment, None))
    table.close()
    if valid.from_ is not None and valid.to is not None and valid.from_ >= valid.to:
        table.complain("to", "does not lie after `from`; write a later day")
    return valid


def _read_start(table: Table) -> Start:
    start = Start(
        table.take("propensity", values.number(above=0, under=1), Start.propensity),
        table.take("evidence", values.number(at_least=0), Start.evidence),
    )
    table.close()
    return start


def _read_capacity(table: Table) -> Capacity:
    capacity = Capacity(
        per_us=table.take("per", values.positive_duration, None),
        count=table.take("count", values.whole(0, 10**9), None),
        by=table.take("by", values.choice("owner", "partner"), None),
        total=table.take("total", values.whole(0, 10**9), None),
    )
    table.close()
    if table.is_sound and ("total" in table) == ("per" in table and "count" in table):
        table.complain("", 'needs either `per` and `count`, such as { per = "1d", count = 40 }, or `total`')
    return capacity
