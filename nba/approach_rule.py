"""What counts as an approach: one rule, for the contact itself and for the others of its account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from features.frozen import Frozen
from features.times import ALWAYS
from features.touchpoints.touchpoints import BY_MACHINE, NONE, TouchpointRules, Touchpoints

if TYPE_CHECKING:
    from features.rows.row_types import DecisionRow
    from nba.settings.actions import Action

OUTBOUND = "outbound"
"""The placement in which we approach a contact, instead of answering where it comes by itself."""


class Approach(NamedTuple):
    """One approach; its time in microseconds, its channel None where nothing tells."""

    at: int
    channel: str | None
    topics: tuple[str, ...] = ()


@dataclass(frozen=True)
class ApproachRule:
    """Any sender's outbound touchpoints, and our decisions that were carried out as far as we know.

    That is at once, or where they were deferred when they were activated. One with a touchpoint of its own counts as
    that. Transactional actions do not count.
    """

    actions: Mapping[str, Action] = field(default_factory=Frozen)
    """Ours, by name."""

    def approaches(
        self,
        touchpoints: Touchpoints,
        decisions: Sequence[DecisionRow],
        as_of: int,
        *,
        since: int = ALWAYS,
        held: DecisionRow | None = None,
    ) -> tuple[Approach, ...]:
        """Return every approach to one contact in ``[since, as_of)``, by rising time.

        Parameters
        ----------
        touchpoints, decisions
            Strictly before ``as_of``.
        held
            A decision that would be given again and therefore does not count against itself.
        """
        found = [*self._sent(touchpoints, since), *self._decided(touchpoints, decisions, since, as_of, held)]
        return tuple(sorted(found, key=lambda approach: approach.at))

    def lately(
        self,
        sent: Iterable[tuple[int, str, str | None, str | None, str | None]],
        made: Iterable[tuple[str, str, str | None, int]],
        told: Iterable[tuple[str, str, str | None]],
        rules: TouchpointRules,
    ) -> list[tuple[int, str | None]]:
        """Return time and channel of every approach to one contact, as ``approaches`` finds them, in no order.

        Parameters
        ----------
        sent
            Time, kind, channel, direction and action of each touchpoint.
        made
            Id, action, placement and time of each decision of ours that was carried out.
        told
            Decision, kind and direction of touchpoints that name one, of whatever time.
        """
        found: list[tuple[int, str | None]] = []
        for at, kind, channel, direction, named in sent:
            if kind != BY_MACHINE and rules.is_outbound(kind, direction):
                action = self.actions.get(named) if named else None
                if action is None or action.class_ != "transactional":
                    found.append((at, channel or (None if action is None else action.channel)))
        with_touchpoint = {name for name, kind, direction in told if rules.is_outbound(kind, direction)}
        for name, chosen, placement, at in made:
            action = self.actions.get(chosen)
            if action is not None and name not in with_touchpoint and _goes_out(action, placement):
                found.append((at, action.channel))
        return found

    def _sent(self, t: Touchpoints, since: int) -> Iterator[Approach]:
        first = int(t.occurred_at.searchsorted(since))
        rows = t.outbound[first:].nonzero()[0] + first
        if not len(rows):
            return
        columns = (part[rows].tolist() for part in (t.occurred_at, t.kind, t.channel, t.action))
        for row, at, kind, channel, code in zip(rows.tolist(), *columns, strict=True):
            action = self.actions.get(t.actions[code]) if code != NONE else None
            if t.kinds[kind] != BY_MACHINE and (action is None or action.class_ != "transactional"):
                own = t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()
                about = tuple([t.topics[topic] for topic in own])
                named = t.channels[channel] if channel != NONE else action.channel if action is not None else None
                yield Approach(at, named, about or (action.topics if action is not None else ()))

    def _decided(
        self, t: Touchpoints, decisions: Sequence[DecisionRow], since: int, as_of: int, held: DecisionRow | None
    ) -> Iterator[Approach]:
        if not decisions:
            return
        with_touchpoint = set[str]()
        if t.decisions:
            with_touchpoint = {t.decisions[code] for code in t.decision[t.outbound].tolist() if code != NONE}
        for row in decisions:
            action, at = self.actions.get(row.action), row.carried_out_at
            # Rows without chances were loaded from elsewhere: what they sent is among the touchpoints.
            if row.chances is None or action is None or row is held or row.decision_id in with_touchpoint:
                continue
            if at is not None and since <= at < as_of and _goes_out(action, row.placement):
                yield Approach(at, action.channel, action.topics)


def _goes_out(action: Action, placement: str | None) -> bool:
    return (placement or OUTBOUND) == OUTBOUND and action.class_ != "transactional"
