"""What counts as an approach: one rule, for the contact itself and for the others of its account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from features.frozen import Frozen
from features.times import ALWAYS
from features.touchpoints.touchpoints import BY_MACHINE, NONE, Touchpoints

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

    def _sent(self, t: Touchpoints, since: int) -> Iterator[Approach]:
        first = int(t.occurred_at.searchsorted(since))
        ours = t.outbound
        if BY_MACHINE in t.kinds:
            ours = ours & (t.kind != t.kinds.index(BY_MACHINE))
        # Slices: picking rows one by one out of arrays costs more than all that lies in the time of a cap.
        columns = (part[first:].tolist() for part in (ours, t.occurred_at, t.channel, t.action))
        start = t.topic_start[first:].tolist()
        for i, (outbound, at, channel, code) in enumerate(zip(*columns, strict=True)):
            if not outbound:
                continue
            action = self.actions.get(t.actions[code]) if code != NONE else None
            if action is None or action.class_ != "transactional":
                about = tuple(t.topics[topic] for topic in t.topic[start[i] : start[i + 1]].tolist())
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
            if at is None or not since <= at < as_of or (row.placement or OUTBOUND) != OUTBOUND:
                continue
            if action.class_ != "transactional":
                yield Approach(at, action.channel, action.topics)
