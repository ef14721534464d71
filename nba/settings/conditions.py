"""Conditions a contact must meet: ``needs`` of an action, and ``[segments]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from features.frozen import Frozen
from nba.settings import values
from nba.settings.known import Known
from nba.settings.table import Table

TraitValue = str | float | bool


@dataclass(frozen=True)
class Conditions:
    """What must all hold of a contact at ``as_of``; what is None or empty asks nothing."""

    points_from: float | None = None
    propensity_from: float | None = None
    churn_from: float | None = None
    revenue_from: float | None = None
    tenure_from_us: int | None = None
    traits: Mapping[str, tuple[TraitValue, ...]] = field(default_factory=Frozen)
    """Per trait the values that will do."""
    missing: tuple[str, ...] = ()
    """Traits that must not be known."""
    seen: tuple[str, ...] = ()
    """Kinds of which one must have happened before ``as_of``."""
    without: tuple[str, ...] = ()
    """Kinds of which none may have happened before ``as_of``."""


@dataclass(frozen=True)
class Needs(Conditions):
    """Who an action is for at all."""

    stage: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()
    partner: bool | tuple[str, ...] | None = None
    """True: has a partner; False: has none; names: one of these."""


@dataclass(frozen=True)
class Segment(Conditions):
    """A named group, decided anew at every request."""

    name: str = ""
    topics: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()


def read_needs(table: Table, known: Known) -> Needs:
    """Read ``needs`` of an action."""
    needs = Needs(
        **_read_conditions(table, known),
        stage=table.take("stage", _one_or_some("stage", known.stages), ()),
        segment=table.take("segment", _one_or_some("segment", known.segments), ()),
        partner=table.take("partner", _partner, None),
    )
    table.close()
    return needs


def read_segments(table: Table, known: Known) -> Mapping[str, Segment]:
    """Read every segment."""
    return Frozen({name: _read_segment(name, child, known) for name, child in table.children(values.text)})


def _read_segment(name: str, table: Table, known: Known) -> Segment:
    segment = Segment(
        **_read_conditions(table, known),
        name=name,
        topics=table.take("topics", values.some_texts, ()),
        stages=table.take("stages", values.some_of("stage", known.stages), ()),
    )
    table.close()
    if table.is_sound and segment == Segment(name=name):
        table.complain("", "asks nothing, so everybody would be in it; write at least one condition")
    return segment


def _read_conditions(table: Table, known: Known) -> dict[str, Any]:
    found = Conditions(
        points_from=table.take("points_from", values.number(), None),
        propensity_from=table.take("propensity_from", values.number(at_least=0, at_most=1), None),
        churn_from=table.take("churn_from", values.number(at_least=0, at_most=1), None),
        revenue_from=table.take("revenue_from", values.number(at_least=0), None),
        tenure_from_us=table.take("tenure_from", values.duration, None),
        traits=Frozen(table.child("traits").entries(known.trait, _trait_values)),
        missing=table.take("missing", known.with_trait(values.some_texts), ()),
        seen=table.take("seen", values.some_texts, ()),
        without=table.take("without", values.some_texts, ()),
    )
    _check_conditions(table, found, known)
    return {each.name: getattr(found, each.name) for each in fields(found)}


def _check_conditions(table: Table, found: Conditions, known: Known) -> None:
    if found.propensity_from is not None and not known.goals:
        table.complain("propensity_from", "asks for a propensity, but no goal is defined; add [goals.conversion]")
    if found.churn_from is not None and not known.has_absence_goal:
        table.complain("churn_from", "asks for churn, but no goal has `absence_of`; add [goals.churn]")
    both = sorted({*found.seen} & {*found.without})
    if both:
        table.complain("without", f"{values.show(both[0])} stands in `seen` too; nobody can meet both")


def _one_or_some(what: str, allowed: tuple[str, ...]) -> values.Parse[tuple[str, ...]]:
    one, some = values.among(what, allowed), values.some_of(what, allowed)
    return lambda value: some(value) if isinstance(value, list) else (one(value),)


def _partner(value: object) -> bool | tuple[str, ...]:
    return value if isinstance(value, bool) else values.text_or_texts(value)


def _trait_values(value: object) -> tuple[TraitValue, ...]:
    if not isinstance(value, list):
        return (_trait_value(value),)
    if not value:
        raise ValueError("[] is empty; name at least one value that will do")
    return tuple(_trait_value(item) for item in value)


def _trait_value(value: object) -> TraitValue:
    if isinstance(value, bool):
        return value
    return value if isinstance(value, str) else values.number()(value)
