"""How often what the InfoCenter showed was read: new topics beside those that a contact knew, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.rows.row_types import EXPLAINED
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules
from nba.evaluation import interval
from nba.partners.visibility import OWNER_SIDE, sight_in
from nba.past import Past
from nba.reading_list import CONTENT, slots_of, touched
from nba.settings.actions import INFOCENTER
from nba.settings.people import Partners

if TYPE_CHECKING:
    from features.store.store import Store

WITHIN = 14 * DAY
"""How soon after it was shown a content must be read."""


class Shown(NamedTuple):
    """One slot that was shown long enough ago: to whom, about what, and whether it was read."""

    contact: str
    topic: str
    is_new: bool
    is_read: bool


@dataclass(frozen=True)
class Rate:
    """How often slots were read; ``interval`` is two-sided 95 %, clustered by contact, None where it cannot be told."""

    slots: int
    read: int
    rate: float | None
    interval: tuple[float, float] | None

    @classmethod
    def of(cls, shown: Sequence[Shown]) -> Rate:
        """Count slots."""
        read = np.array([each.is_read for each in shown], dtype=np.float64)
        found = float(read.mean()) if len(read) else None
        between = _within(read, shown)
        # Few contacts tell little: an interval may reach beyond what a rate can be.
        within = None if between is None else (max(between[0], 0.0), min(between[1], 1.0))
        return cls(len(shown), int(read.sum()), found, within)


def shown_slots(store: Store, as_of: int, rules: TouchpointRules, partners: Partners | None = None) -> Iterator[Shown]:
    """Yield every slot that was shown at least ``WITHIN`` before ``as_of``, contact by contact.

    Parameters
    ----------
    partners
        The settings that say whose interests the owner sees; others were shown nothing of it either, and are left out.
        None: everybody's.
    """
    answered = {row.identity for row in store.decision_rows(as_of, without=EXPLAINED) if row.policy == INFOCENTER}
    done: set[str] = set()
    for identity in sorted(answered):
        past = Past.read(store, identity, as_of, rules)
        name = identity if past.contact is None else past.contact.contact_id
        if name not in done and (partners is None or sight_in(OWNER_SIDE, past, partners, as_of).shows("interests")):
            done.add(name)
            yield from _of_contact(name, past, as_of)


def success(shown: Iterable[Shown]) -> Mapping[str, Any]:
    """Return the rates of new and of known topics, their difference with its interval, and each new topic's rate.

    What a new topic is shown instead of is drawn, so the difference says what showing new topics costs or brings among
    what was shown; known topics are shown by interest.
    """
    found = list(shown)
    new = [each for each in found if each.is_new]
    known = [each for each in found if not each.is_new]
    topics = sorted({each.topic for each in new})
    return {
        "new": Rate.of(new),
        "known": Rate.of(known),
        "difference": _difference(found),
        "new_topics": {topic: Rate.of([each for each in new if each.topic == topic]) for topic in topics},
    }


def _of_contact(name: str, past: Past, as_of: int) -> Iterator[Shown]:
    reads: dict[str, list[int]] = {}
    for content, moment, is_read in touched(past, 0):
        if is_read:
            reads.setdefault(content, []).append(moment)
    for row in past.decisions:
        at = row.carried_out_at
        if row.policy != INFOCENTER or at is None or at + WITHIN > as_of:
            continue
        for slot in slots_of(row):
            moments, topics = reads.get(str(slot.get(CONTENT)), ()), slot.get("topics")
            topic = str(topics[0]) if isinstance(topics, list) and topics else ""
            yield Shown(name, topic, bool(slot.get("new")), any(at <= moment < at + WITHIN for moment in moments))


def _difference(shown: Sequence[Shown]) -> Mapping[str, Any]:
    """Rate of new topics less that of known ones, to first order the mean of one contribution a slot."""
    is_new = np.array([each.is_new for each in shown], dtype=np.bool_)
    read = np.array([each.is_read for each in shown], dtype=np.float64)
    if not is_new.any() or is_new.all():
        return {"value": None, "interval": None}
    rates = np.array([read[~is_new].mean(), read[is_new].mean()])
    residual = read - rates[is_new.astype(np.int64)]
    share = np.where(is_new, is_new.mean(), -(~is_new).mean())
    value = float(rates[1] - rates[0])
    return {"value": value, "interval": _within(value + residual / share, shown)}


def _within(contributions: NDArray[np.float64], shown: Sequence[Shown]) -> tuple[float, float] | None:
    cluster = np.array([each.contact for each in shown])
    return interval(contributions, cluster) if len(set(cluster.tolist())) > 1 else None
