"""Touchpoints as columns: the same shape for one contact's history and for everybody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.codes import NONE
from features.frozen import Frozen
from features.topics import TopicRule
from features.touchpoints import columns as touchpoint_columns
from features.touchpoints import order as touchpoint_order
from features.touchpoints import rows as touchpoint_rows
from features.touchpoints import told_rules
from features.touchpoints.rows import TouchpointTuple
from features.touchpoints.told import Told

__all__ = ["BY_MACHINE", "NONE", "TouchpointRules", "TouchpointTuple", "Touchpoints"]


BY_MACHINE = "by_machine"
"""The kind of what a machine did with a mail: neither the contact's doing nor an approach of ours."""


@dataclass(frozen=True)
class TouchpointRules:
    """What kinds mean, and what money is counted in: [touchpoints] and [money] of ``nba.toml``."""

    outbound: tuple[str, ...] = ("email_sent", "letter_sent", "call_made", "visit_made", "invitation_sent")
    money: tuple[str, ...] = ("order",)
    returns: tuple[str, ...] = ("return",)
    attention: tuple[str, ...] = ("page_view",)
    base: str = "EUR"
    rates: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    margin: float = 1.0
    stitch_limit: int = 25
    visitor_stitching: bool = False
    stitch_confidence: float = 0.9
    """How sure a link must be to join; one without a confidence is certain."""
    topic_rules: tuple[TopicRule, ...] = ()
    """What touchpoints are about where the source does not say."""
    kinds: Mapping[str, str] = Frozen()
    """The kinds that events of tracking clients become, by the event's name in snake case."""

    def rate(self, currency: str | None) -> float | None:
        """Return what one unit of ``currency`` is worth in base currency; None where that is not known."""
        if currency is None or currency == "" or currency == self.base:
            return 1.0
        return self.rates.get(currency)

    def is_outbound(self, kind: str, direction: str | None) -> bool:
        """Whether we made the touchpoint; what the source says wins over the list of kinds."""
        return direction == "outbound" if direction else kind in self.outbound


@dataclass(frozen=True)
class Touchpoints:
    """Columns of touchpoints in (contact, occurred_at, touchpoint_id) order.

    ``start[c]:start[c + 1]`` are the rows of contact ``c``; ``topic_start`` and ``topic`` are laid out alike.
    Codes index the lists of names beside them; -1 is "none". Numbers that are absent are NaN.
    ``value`` and ``margin`` are in base currency. ``touchpoint_id`` and ``properties`` may be decoded when they
    are asked for, and a column that says nothing may be one value in the memory of one.

    Where ``visible_from`` and ``visible_to`` are given, a touchpoint counts as of a moment only where
    ``visible_from < as_of <= visible_to``, in microseconds.
    """

    contacts: list[str]
    start: NDArray[np.int64]
    occurred_at: NDArray[np.int64]
    touchpoint_id: Sequence[str]
    kind: NDArray[np.int32]
    kinds: list[str]
    channel: NDArray[np.int32]
    channels: list[str]
    outbound: NDArray[np.bool_]
    value: NDArray[np.float64]
    margin: NDArray[np.float64]
    duration: NDArray[np.float64]
    decision: NDArray[np.int32]
    decisions: list[str]
    action: NDArray[np.int32]
    actions: list[str]
    topic_start: NDArray[np.int64]
    topic: NDArray[np.int32]
    topics: list[str]
    properties: Sequence[str | None]
    visible_from: NDArray[np.int64] | None = None
    visible_to: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.occurred_at)

    def margins(self, share: float) -> NDArray[np.float64]:
        """Margin of each touchpoint as if it were money: its own, else a share of its value; 0 without either."""
        return np.where(np.isnan(self.margin), np.nan_to_num(self.value) * share, self.margin)

    @property
    def contact(self) -> NDArray[np.int32]:
        """The contact's code of each touchpoint."""
        return np.repeat(np.arange(len(self.contacts), dtype=np.int32), np.diff(self.start))

    def contact_of(self, row: int) -> int:
        """Code of the contact whose touchpoint a row is."""
        return int(np.searchsorted(self.start, row, side="right")) - 1

    @classmethod
    def from_rows(cls, rows: Iterable[TouchpointTuple], rules: TouchpointRules) -> Touchpoints:
        """Columns of rows as the store reads them.

        Parameters
        ----------
        rows
            In any order; sorted here where they are not in (identity, occurred_at, touchpoint_id) order. They are
            taken as they come, so that a generator of millions is never held as rows.
        rules
            Direction by kind, rates of exchange, and topics where a row has none.
        """
        return cls(**touchpoint_rows.from_rows(rows, rules))

    @classmethod
    def from_told(cls, told: Told, rules: TouchpointRules) -> Touchpoints:
        """Columns of one contact's history as its sources told it, which has at least one touchpoint."""
        # Field by field, as a frozen object is made otherwise, takes longer than to read all of them.
        made = object.__new__(cls)
        made.__dict__.update(told_rules.under(told, rules))
        return made

    @classmethod
    def from_columns(
        cls,
        contacts: Sequence[str],
        contact: NDArray[Any],
        occurred_at: NDArray[np.int64],
        *,
        kind: NDArray[Any],
        kinds: Sequence[str],
        **columns: Any,
    ) -> Touchpoints:
        """Columns in any order, sorted by contact, time and (where it is given) touchpoint_id.

        Parameters
        ----------
        contacts
            Names, in the order that the contacts are to have.
        contact
            Code of the contact of each touchpoint, shape (n,).
        occurred_at
            Microseconds, shape (n,).
        kind, kinds
            Codes and the names they index.
        columns
            Other fields by name, each one value per touchpoint in the same order as ``contact``, or left out:
            such a column costs no memory. ``topic`` may be given without ``topic_start``: then it is one code per
            touchpoint, -1 for none. Columns that are in order already are not copied.

        Raises
        ------
        ValueError
            Where a column has another length, or a contact's code lies outside of ``contacts``.
        TypeError
            Where a column is none of the fields.

        Examples
        --------
        >>> t = Touchpoints.from_columns(
        ...     ["ann", "bob"], np.array([1, 0, 1]), np.array([5, 4, 3]), kind=np.array([0, 0, 1]), kinds=["sms", "fax"]
        ... )
        >>> t.start.tolist(), t.occurred_at.tolist(), [t.kinds[code] for code in t.kind]
        ([0, 1, 3], [4, 3, 5], ['sms', 'fax', 'sms'])
        """
        if unknown := sorted(columns.keys() - cls.__dataclass_fields__.keys() - {"contacts", "start"}):
            raise TypeError(
                f"{unknown[0]!r} is no column of touchpoints; they have {', '.join(cls.__dataclass_fields__)}"
            )
        given = {"kind": kind, "kinds": kinds, **columns}
        return cls(**touchpoint_columns.ordered(contacts, contact, occurred_at, given))

    @classmethod
    def joined(cls, parts: Sequence[Touchpoints]) -> Touchpoints:
        """Put parts with different contacts into one, in their order; the names of codes are unified."""
        if not parts:
            return cls.from_rows((), TouchpointRules())
        return parts[0] if len(parts) == 1 else cls(**touchpoint_order.joined(parts))

    def only(self, contact: int) -> Touchpoints:
        """One contact's touchpoints; codes keep their meaning, and nothing is copied."""
        here = slice(int(self.start[contact]), int(self.start[contact + 1]))
        start = np.array([0, here.stop - here.start], dtype=np.int64)
        return replace(self, contacts=[self.contacts[contact]], start=start, **touchpoint_order.rows_of(self, here))

    def take(self, contacts: Iterable[int]) -> Touchpoints:
        """Take some contacts, in the order asked for; codes of everything else keep their meaning."""
        codes = [int(contact) for contact in contacts]
        return self.merged([(code,) for code in codes], [self.contacts[code] for code in codes])

    def merged(self, groups: Sequence[Sequence[int]], names: Sequence[str]) -> Touchpoints:
        """Make one contact of each group of contacts.

        Parameters
        ----------
        groups
            Codes of the contacts whose touchpoints the new contact has, in (occurred_at, touchpoint_id, name of the
            old contact) order. A contact may be in several groups, or in none.
        names
            Of the new contacts.

        Examples
        --------
        >>> t = Touchpoints.from_columns(
        ...     ["a", "b", "c"], np.arange(3), np.array([5, 4, 3]), kind=np.zeros(3, dtype=int), kinds=["visit"]
        ... )
        >>> one = t.merged([[0, 2], [1]], ["a", "b"])
        >>> one.start.tolist(), one.occurred_at.tolist()
        ([0, 2, 3], [3, 5, 4])
        """
        if len(groups) != len(names):
            raise ValueError(f"{len(groups)} groups for {len(names)} names; give each group one name")
        return replace(self, contacts=list(names), **touchpoint_order.merged(self, groups))
