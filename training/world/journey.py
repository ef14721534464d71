"""What happened in a journey world, as the store and the matrix take it, and the truth beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from features.rows.row_types import DecisionRow, LinkRow, RecordRow, TouchpointRow
from features.times import DAY
from features.touchpoints.touchpoints import Touchpoints
from training.world.people import People
from training.world.rows import (
    Columns,
    account_rows,
    contact_rows,
    decision_rows,
    link_rows,
    partner_rows,
    touchpoint_rows,
    touchpoints_of,
)
from training.world.rules import BEGIN, TOPICS, Lever
from training.world.truth import Truth


@dataclass(frozen=True, eq=False)
class JourneyWorld:
    """What happened, as the store takes it, and the truth behind it; made by ``training.world.world.world``.

    The lists of rows are made when they are first asked for. ``columns`` is what they are made of: for large worlds,
    ``as_touchpoints`` goes from there to the matrix without a Python object per row.
    """

    people: People
    levers: tuple[Lever, ...]
    columns: Columns
    truth: Truth
    days: int
    known_probabilities: bool

    @property
    def actions(self) -> tuple[str, ...]:
        """Names of the actions, "do nothing" first."""
        return self.truth.actions

    @property
    def begin(self) -> int:
        """The first moment, in microseconds."""
        return BEGIN

    @property
    def end(self) -> int:
        """The first moment after the world, in microseconds."""
        return BEGIN + self.days * DAY

    @cached_property
    def touchpoints(self) -> list[TouchpointRow]:
        """Everything dated, in the order of time."""
        return list(self.touchpoint_rows())

    @cached_property
    def decisions(self) -> list[DecisionRow]:
        """Past decisions, "do nothing" included; row i of ``truth``."""
        return list(self.decision_rows())

    @cached_property
    def links(self) -> list[LinkRow]:
        """Which cookies turned out to be whose."""
        return link_rows(self.people, self.end)

    @cached_property
    def contacts(self) -> list[RecordRow]:
        """Traits of contacts."""
        return contact_rows(self.people, self.end)

    @cached_property
    def accounts(self) -> list[RecordRow]:
        """Accounts that contacts buy for."""
        return account_rows(self.people)

    @cached_property
    def partners(self) -> list[RecordRow]:
        """Dealers."""
        return partner_rows(self.people)

    def topic_of(self, lever: Lever) -> str | None:
        """Name what an action is about; None where it is about nothing."""
        return None if lever.topic is None else TOPICS[lever.topic]

    def touchpoint_rows(self) -> Iterator[TouchpointRow]:
        """``touchpoints`` one by one, which are never all held."""
        return touchpoint_rows(self.columns, self.people, self.levers)

    def decision_rows(self, first: int = 0) -> Iterator[DecisionRow]:
        """``decisions`` one by one, which are never all held, from the number ``first`` on."""
        return decision_rows(self.truth, self.levers, known_probabilities=self.known_probabilities, first=first)

    def as_touchpoints(self) -> Touchpoints:
        """Touchpoints for the matrix, under the contact whose they are, whatever the device.

        Contact c is the one numbered c in ``truth``; every contact is there, also who never did anything.
        """
        return touchpoints_of(self.columns, self.people, self.levers, len(self.truth))
