"""Everything known before a moment, read from the store once for training and scoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from features.errors import UserError
from features.store import Store
from features.touchpoints import Touchpoints
from features.traits import Traits
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
    """Read what happened strictly before ``now``.

    Raises
    ------
    UserError
        Where nothing happened before it.
    """
    touchpoints = Touchpoints.from_rows(store.touchpoint_rows(now), settings.touchpoints)
    if not len(touchpoints):
        raise UserError(
            "the store holds no touchpoints to learn from; load some with `nba load touchpoints FILE`"
        )
    return Past(
        touchpoints=touchpoints,
        traits=Traits(store.contact_rows(now)),
        decisions=tuple(store.decision_rows(now)),
        now=now,
        end=data_end(touchpoints, now),
        quarantined=store.counts()["quarantined"],
    )
