"""What was read of contacts lately, for when the store is away."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from features.rows.row_types import DecisionRow, TouchpointRow
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.past import Past
from nba.tables.around_memory import remembered
from nba.tables.tables import Tables

MOST_BYTES = 64 * 1024 * 1024
"""Some 2,500 contacts with a hundred touchpoints and five decisions each."""
_OLDEST = DAY
"""What was read longer ago is not used: others may have told the store of an unsubscription since."""
_MOST_DECISIONS = 4_096
_MOST_ROWS = 1_000
_MOST_WAITING = 50_000
_MOST_OLDER = 100
_CONTACT, _TOUCHPOINT, _DECISION, _A_CHANCE, _TERMS = 1_500, 150, 1_000, 60, 400
"""Bytes of each in memory, about; of a decision besides those of its answer, and of what it tells of each action."""

Rows = dict[tuple[str, str | None], TouchpointRow]


@dataclass
class _Kept:
    """A contact's past as it was read, and what came since through this process."""

    past: Past
    read_at: int
    bytes: int
    rows: Rows = field(default_factory=dict)
    decisions: dict[str, DecisionRow] = field(default_factory=dict)


class Recent:
    """A bounded copy of contacts' pasts, those asked about last; used by one thread.

    A contact is found under each of its identities. Nothing of somebody is kept who was not read: half a history
    would not say who has unsubscribed.

    Parameters
    ----------
    most_bytes
        How much is kept, about.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._names: dict[str, str] = {}
        self._decisions: OrderedDict[str, DecisionRow] = OrderedDict()
        self._waiting: dict[str, Rows] = {}
        self._n_waiting = 0
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def names(self) -> frozenset[str]:
        """Every identity that anything is kept of."""
        return frozenset((*self._names, *self._waiting, *(row.identity for row in self._decisions.values())))

    def keep(self, identity: str, past: Past, read_at: int) -> None:
        """Keep what was read of a contact at a moment, in the place of what there was."""
        name, members = _named(identity, past)
        decisions = past.decisions
        before = self._kept.get(name)
        if before is not None:
            # Another placement looks further back than this one.
            first = min((row.decided_at for row in decisions), default=None)
            older = [row for row in before.past.decisions if first is None or row.decided_at < first]
            decisions = (*older[-_MOST_OLDER:], *decisions)
            self._forget(name)
        # What was worked out of the past, and the account's, are not kept.
        bare = Past(
            touchpoints=past.touchpoints,
            traits=past.traits,
            decisions=decisions,
            traits_changed_at=past.traits_changed_at,
            contact=past.contact,
            scored=past.scored,
            around=remembered(past.around),
        )
        size = _CONTACT + _TOUCHPOINT * len(past.touchpoints) + sum(map(_size_of, decisions))
        self._kept[name] = _Kept(bare, read_at, size)
        for member in members:
            self._names[member] = name
        self._grown(size)

    def came(self, rows: Iterable[TouchpointRow], *, waits: bool = False) -> None:
        """Add touchpoints that came in to what is kept of their contacts.

        Parameters
        ----------
        waits
            Whether they may wait for the store in a journal: then they are also kept for ``joined``, whosever they are.
        """
        for row in rows:
            if waits:
                self._wait(row)
            kept = self._of(row.identity)
            if kept is None:
                continue
            if len(kept.rows) >= _MOST_ROWS:
                # A past that lacks something is none: it may be the very unsubscription.
                self._forget(self._names.get(row.identity, row.identity))
            elif (row.source, row[2]) not in kept.rows:
                kept.rows[row.source, row[2]] = row
                kept.bytes += _TOUCHPOINT
                self._grown(_TOUCHPOINT)

    @property
    def lacks_waiting(self) -> bool:
        """Whether more waits for the store than is kept, so that what the store says of somebody may lack it."""
        return self._n_waiting > _MOST_WAITING

    def joined(self, identity: str, past: Past, as_of: int, rules: TouchpointRules) -> Past:
        """Return what was read of a contact with what waits for the store of it."""
        members = _named(identity, past)[1]
        rows = [row for member in members for row in self._waiting.get(member, {}).values()]
        return replace(past, touchpoints=_together(past.touchpoints, rows, as_of, rules)) if rows else past

    def stored(self) -> None:
        """Take note that nothing waits for the store any more."""
        if self._waiting:
            self._waiting.clear()
        self._n_waiting = 0

    def decided(self, row: DecisionRow) -> None:
        """Add a decision."""
        self._decisions[row.decision_id] = row
        if len(self._decisions) > _MOST_DECISIONS:
            self._decisions.popitem(last=False)
        kept = self._of(row.identity)
        if kept is not None and row.decision_id not in kept.decisions:
            kept.decisions[row.decision_id] = brief = row.brief
            size = _size_of(brief)
            kept.bytes += size
            self._grown(size)

    def decision(self, decision_id: str) -> DecisionRow | None:
        """Return one of the last decisions; None where it is none of them."""
        return self._decisions.get(decision_id)

    def past(self, identity: str, as_of: int, rules: TouchpointRules, tables: Tables) -> Past | None:
        """Return what is known of a contact strictly before a moment; None where it is not kept, or read long ago.

        Parameters
        ----------
        tables
            The catalogues as they were read last.
        """
        kept = self._of(identity)
        if kept is None or as_of - kept.read_at > _OLDEST:
            return None
        past = kept.past
        here = {row.decision_id for row in past.decisions}
        more = [row for row in kept.decisions.values() if row.decided_at < as_of and row.decision_id not in here]
        decisions = sorted((*past.decisions, *more), key=lambda row: (row.decided_at, row.decision_id))
        return Past(
            touchpoints=_together(past.touchpoints, list(kept.rows.values()), as_of, rules),
            traits=past.traits,
            decisions=tuple(decisions),
            traits_changed_at=past.traits_changed_at,
            contact=past.contact,
            scored=past.scored,
            around=remembered(past.around, tables),
        )

    def forget(self, identity: str) -> None:
        """Forget a contact, and its decisions, also those that are kept longer than the contact."""
        kept, gone = self._of(identity), {identity}
        if kept is not None:
            name = self._names.get(identity, identity)
            gone.update(_named(name, kept.past)[1])
            self._forget(name)
        for name in gone:
            self._waiting.pop(name, None)
        for decision_id in [row.decision_id for row in self._decisions.values() if row.identity in gone]:
            del self._decisions[decision_id]

    def _wait(self, row: TouchpointRow) -> None:
        if self._n_waiting <= _MOST_WAITING:
            self._n_waiting += 1
            self._waiting.setdefault(row.identity, {})[row.source, row[2]] = row

    def _grown(self, size: int) -> None:
        """Take note that more is kept, and forget the contacts asked about longest ago where it is too much."""
        self.bytes += size
        while self.bytes > self._most and len(self._kept) > 1:
            self._forget(next(iter(self._kept)))

    def _of(self, identity: str) -> _Kept | None:
        name = self._names.get(identity, identity)
        found = self._kept.get(name)
        if found is not None:
            self._kept.move_to_end(name)
        return found

    def _forget(self, name: str) -> None:
        kept = self._kept.pop(name)
        self.bytes -= kept.bytes
        for member in _named(name, kept.past)[1]:
            if self._names.get(member) == name:
                del self._names[member]


def _size_of(row: DecisionRow) -> int:
    told = _A_CHANCE * len(row.chances or ()) + _TERMS * len(row.terms or ())
    return _DECISION + told + len(row.answer or b"")


def _named(identity: str, past: Past) -> tuple[str, Sequence[str]]:
    """Name of a contact, and its identities."""
    contact = past.contact
    return (identity, (identity,)) if contact is None else (contact.contact_id, contact.members)


def _together(read: Touchpoints, came: Sequence[TouchpointRow], as_of: int, rules: TouchpointRules) -> Touchpoints:
    known = set(read.touchpoint_id)
    rows = sorted(row[:14] for row in came if row.occurred_at < as_of and row.touchpoint_id not in known)
    if not rows:
        return read
    fresh = Touchpoints.from_rows(rows, rules)
    # What came since may bear the very name of what was read; parts are told apart by their names.
    fresh = replace(fresh, contacts=[f"\0{name}" for name in fresh.contacts])
    found = Touchpoints.joined([part for part in (read, fresh) if len(part)])
    return found.merged([range(len(found.contacts))], read.contacts or [rows[0][0]])
