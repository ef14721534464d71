"""What a plan keeps of everybody: contacts and what may be done for each, as arrays that grow and are sent about."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nba.occurrence import Occurrence
from nba.partners.visibility import Sight

TERMS = ("propensity", "without_action", "value", "context", "cost")
"""What is kept of the terms of each candidate; the lever is the same for everybody."""

FREE = -1
"""Instead of an event: a candidate that takes no seat."""

Removed = Counter[tuple[str, str]]
"""How many contacts lose an action to a rule, by action and rule."""


@dataclass
class Gathered:
    """Contacts and their candidates, growing; candidates point at contacts by their place here."""

    names: list[str] = field(default_factory=list)
    account: list[str | None] = field(default_factory=list)
    owner: list[str | None] = field(default_factory=list)
    partner: list[str | None] = field(default_factory=list)
    served: list[bool] = field(default_factory=list)
    """Whether a partner looks after the contact now."""
    in_hand: list[str | None] = field(default_factory=list)
    """The partner that has the contact in hand as a lead."""
    points: list[float] = field(default_factory=list)
    stages: list[tuple[str | None, str | None]] = field(default_factory=list)
    """The stage, and that by rule where it counts as well."""
    by_points: list[bool] = field(default_factory=list)
    """Whether the points table chooses for the contact."""
    sight: dict[int, Sight] = field(default_factory=dict)
    """Of contacts that the viewer does not see whole."""
    sent: list[list[int]] = field(default_factory=list)
    today: list[list[int]] = field(default_factory=list)
    wanted: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)
    """Place of a contact, room that its wish leaves, columns that the wish is about."""
    contact: list[NDArray[np.int64]] = field(default_factory=list)
    column: list[NDArray[np.int64]] = field(default_factory=list)
    event: list[NDArray[np.int64]] = field(default_factory=list)
    """The event of which each candidate takes a seat, by its place among all events by id; ``FREE``: none."""
    numbers: list[NDArray[np.float64]] = field(default_factory=list)
    """Priority, the terms, and from when on, shape (n, 2 + len(TERMS))."""
    evidence: list[str] = field(default_factory=list)
    calling: dict[int, Occurrence] = field(default_factory=dict)
    """What calls for a candidate at this time, by its place; only of those that have an occasion."""
    seated: dict[int, int] = field(default_factory=dict)
    """How many seats of an event are taken, by its place."""
    removed: Removed = field(default_factory=Counter)

    def add(self, other: Gathered) -> None:
        """Take over what was gathered elsewhere."""
        begin, first = len(self.names), len(self.evidence)
        for name in _OF_CONTACTS:
            getattr(self, name).extend(getattr(other, name))
        self.sight.update({begin + place: sight for place, sight in other.sight.items()})
        self.wanted += [(begin + place, room, columns) for place, room, columns in other.wanted]
        self.contact += [part + begin for part in other.contact]
        for name in ("column", "event", "numbers", "evidence"):
            getattr(self, name).extend(getattr(other, name))
        self.calling.update({first + at: found for at, found in other.calling.items()})
        self.seated |= other.seated
        self.removed.update(other.removed)

    def in_order(self) -> Gathered:
        """Return the same with contacts by name and candidates by contact, wherever each was gathered."""
        order = sorted(range(len(self.names)), key=self.names.__getitem__)
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        packed = self.packed()
        contact = place[packed.contact[0]] if packed.contact else np.empty(0, dtype=np.int64)
        by = np.argsort(contact, kind="stable")
        now = np.empty(len(by), dtype=np.int64)
        now[by] = np.arange(len(by))
        of_contacts = {name: [getattr(self, name)[at] for at in order] for name in _OF_CONTACTS}
        return Gathered(
            **of_contacts,
            sight={int(place[at]): sight for at, sight in self.sight.items()},
            wanted=sorted((int(place[at]), room, columns) for at, room, columns in self.wanted),
            contact=[contact[by]],
            column=[each[by] for each in packed.column] or [np.empty(0, dtype=np.int64)],
            event=[each[by] for each in packed.event] or [np.empty(0, dtype=np.int64)],
            numbers=[each[by] for each in packed.numbers] or [np.empty((0, 2 + len(TERMS)))],
            evidence=[self.evidence[at] for at in by.tolist()],
            calling={int(now[at]): found for at, found in self.calling.items()},
            seated=self.seated,
            removed=self.removed,
        )

    def packed(self) -> Gathered:
        """Put many small arrays together, so that they are sent back quickly."""
        for name in ("contact", "column", "event", "numbers"):
            parts = getattr(self, name)
            setattr(self, name, [np.concatenate(parts)] if parts else [])
        return self


_OF_CONTACTS = (
    "names", "account", "owner", "partner", "served", "in_hand", "points", "stages", "by_points", "sent", "today",
)  # fmt: skip
