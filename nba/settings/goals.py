"""Goals: what is to be predicted, for which rows; ``[goals.*]`` and ``[snapshots]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from features.frozen import Frozen
from features.times import DAY
from nba.settings import values
from nba.settings.table import Table


@dataclass(frozen=True)
class Until:
    """A horizon that ends at a time which the row's own touchpoint carries as a property."""

    property: str


@dataclass(frozen=True)
class Among:
    """Only contacts with one of ``seen`` in the time before ``as_of``, and never one of ``without``."""

    seen: tuple[str, ...] = ()
    within_us: int | None = None
    """None: at any time before ``as_of``."""
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class After:
    """One row a set time after each touchpoint of a kind."""

    kind: str
    delay_us: int = 0


@dataclass(frozen=True)
class Snapshots:
    """When training rows are made, and which of them are the test; either ``every_us`` or ``after``."""

    every_us: int | None = 28 * DAY
    after: After | None = None
    test: float = 0.3
    test_from: int | None = None
    """Microseconds: rows from this moment on are the test, whatever ``test`` says."""


@dataclass(frozen=True)
class Goal:
    """One thing to be predicted: that one of ``kinds`` happens, or that none of ``absence_of`` does."""

    name: str
    kinds: tuple[str, ...]
    absence_of: tuple[str, ...]
    horizon: int | Until
    """Microseconds from ``as_of``, or a property of the row's own touchpoint."""
    value: Literal["sum"] | float
    """Worth of a success: the margin in the horizon, or a number."""
    linked: bool = False
    among: Among | None = None
    snapshots: Snapshots = Snapshots()
    """This goal's own, else those of ``[snapshots]``: always filled in."""

    @property
    def watched(self) -> tuple[str, ...]:
        """The kinds that decide the label, whichever way round."""
        return self.kinds or self.absence_of

    @property
    def is_absence(self) -> bool:
        """Whether success means that nothing happens (churn)."""
        return bool(self.absence_of)


def read_snapshots(table: Table, otherwise: Snapshots) -> Snapshots:
    """Read rows and split; what is left out of either comes from ``otherwise``."""
    every = table.take("every", values.positive_duration, None)
    after = _read_after(table.child("after")) if "after" in table else None
    test = table.take("test", values.number(above=0, under=1), None)
    test_from = table.take("test_from", values.moment, None)
    table.knows("after")
    table.close()
    if "every" in table and "after" in table:
        table.complain("every", "stands beside `after`; rows are made by the calendar or after a touchpoint, keep one")
    found = otherwise
    if "every" in table or "after" in table:
        found = replace(found, every_us=every, after=after)
    if "test" in table or "test_from" in table:
        found = replace(found, test=otherwise.test if test is None else test, test_from=test_from)
    return found


def _read_after(table: Table) -> After:
    kind = table.require("kind", values.text, "", 'name a kind of touchpoint, such as "email_sent"')
    delay = table.take("delay", values.duration, 0)
    table.close()
    return After(kind, delay)


def read_goals(table: Table, snapshots: Snapshots, money: tuple[str, ...]) -> Mapping[str, Goal]:
    """Read every goal; ``money`` are the kinds whose value is revenue."""
    goals = {name: _read_goal(name, child, snapshots, money) for name, child in table.children(values.file_name)}
    return Frozen(goals)


def _read_goal(name: str, table: Table, snapshots: Snapshots, money: tuple[str, ...]) -> Goal:
    kinds = table.take("kinds", values.some_texts, ())
    absence_of = table.take("absence_of", values.some_texts, ())
    horizon = _read_horizon(table)
    by_kind: Literal["sum"] | float = "sum" if {*kinds, *absence_of} & set(money) else 1.0
    value = table.take("value", _value, by_kind)
    linked = table.take("linked", values.flag, False)
    among = _read_among(table.child("among")) if "among" in table else None
    own = read_snapshots(table.child("snapshots"), snapshots) if "snapshots" in table else snapshots
    table.knows("among", "snapshots")
    table.close()
    if table.is_sound and ("kinds" in table) == ("absence_of" in table):
        table.complain("", "needs either `kinds` (one of them happens) or `absence_of` (none of them does), not both")
    if own.after is None and isinstance(horizon, Until):
        table.complain("horizon", "`until` reads the touchpoint a row is made after; set snapshots.after")
    if own.after is None and linked:
        table.complain("linked", "links to the touchpoint a row is made after; set snapshots.after")
    return Goal(name, kinds, absence_of, horizon, value, linked, among, own)


def _read_horizon(table: Table) -> int | Until:
    if not table.holds_table("horizon"):
        hint = 'write a duration such as "30d", or { until = "ends_at" }'
        return table.require("horizon", values.positive_duration, 0, hint)
    until = table.child("horizon")
    name = until.require("until", values.text, "", 'name the property that carries the end, such as "ends_at"')
    until.close()
    return Until(name)


def _value(value: object) -> Literal["sum"] | float:
    if value == "sum":
        return "sum"
    if isinstance(value, str):
        raise ValueError(f'{values.show(value)} is not a worth; write "sum" (the margin) or a number')
    return values.number(at_least=0)(value)


def _read_among(table: Table) -> Among:
    among = Among(
        seen=table.take("seen", values.some_texts, ()),
        within_us=table.take("within", values.positive_duration, None),
        without=table.take("without", values.some_texts, ()),
    )
    table.close()
    if table.is_sound and "seen" not in table and "without" not in table:
        table.complain("", "names nobody; write `seen` (with `within`) or `without`")
    if "within" in table and "seen" not in table:
        table.complain("within", "says how long ago, but `seen` does not say what")
    return among
