"""Everything known before a moment, read from the store once for training and scoring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from features.errors import UserError
from features.store import Store
from features.times import iso
from features.touchpoints import Touchpoints
from features.traits import Traits
from nba.consent import KINDS, Ledger, Word
from nba.settings import Settings
from training.dataset import data_end


@dataclass(frozen=True)
class Past:
    """Touchpoints, traits and decisions strictly before ``now``; ``end`` is where the data end."""

    touchpoints: Touchpoints
    traits: Traits
    decisions: tuple[Any, ...]
    now: int
    end: int
    quarantined: int


def read_past(store: Store, settings: Settings, now: int) -> Past:
    """Read what happened strictly before ``now``, without the contacts that may not be profiled.

    Raises
    ------
    UserError
        Where nothing happened before it.
    """
    touchpoints = Touchpoints.from_rows(store.touchpoint_rows(now), settings.touchpoints)
    if objecting := objections(touchpoints, settings, now):
        agreed = (row for row in store.touchpoint_rows(now) if row[0] not in objecting)
        touchpoints = Touchpoints.from_rows(agreed, settings.touchpoints)
    if not len(touchpoints):
        raise UserError(
            f"the store holds no touchpoints before {iso(now)} to learn from; load some: `nba load touchpoints FILE`"
        )
    return Past(
        touchpoints=touchpoints,
        traits=Traits(row for row in store.contact_rows(now) if row.key not in objecting),
        decisions=tuple(
            row
            for row in store.decision_rows(now)
            # A repeat stands for a decision that is there already.
            if row.identity not in objecting and row.policy != "repeat"
        ),
        now=now,
        end=data_end(touchpoints, now),
        quarantined=store.counts()["quarantined"],
    )


def objections(touchpoints: Touchpoints, settings: Settings, now: int) -> frozenset[str]:
    """Contacts that may not be profiled: who objects gives no features, no scores and no training rows."""
    consent = settings.contact_policy.consent
    silent_may = Word().meets(consent.profiling)
    spoke = np.array([kind in KINDS for kind in touchpoints.kinds], dtype=np.bool_)[touchpoints.kind]
    speakers = set(touchpoints.contact[spoke].tolist())
    refused = set() if silent_may else set(range(len(touchpoints.contacts))) - speakers
    for contact in speakers:
        if not Ledger(only(touchpoints, contact), now, {}).may_profile(consent):
            refused.add(contact)
    return frozenset(touchpoints.contacts[contact] for contact in refused)


def only(touchpoints: Touchpoints, contact: int) -> Touchpoints:
    """One contact's columns; codes keep their meaning."""
    t = touchpoints
    low, high = int(t.start[contact]), int(t.start[contact + 1])
    first, last = int(t.topic_start[low]), int(t.topic_start[high])
    here = slice(low, high)
    columns = (
        "occurred_at",
        "kind",
        "channel",
        "outbound",
        "value",
        "margin",
        "duration",
        "decision",
        "action",
    )
    return replace(
        t,
        contacts=[t.contacts[contact]],
        start=np.array([0, high - low], dtype=np.int64),
        touchpoint_id=t.touchpoint_id[here],
        properties=t.properties[here],
        topic_start=t.topic_start[low : high + 1] - first,
        topic=t.topic[first:last],
        **{name: getattr(t, name)[here] for name in columns},
    )
