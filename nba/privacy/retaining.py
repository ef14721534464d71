"""How long things are kept, by ``[privacy] retention``; what gives or takes consent stays as long as the person."""

from __future__ import annotations

from pathlib import Path

from features.store import retention
from features.store.audit import append
from features.store.retention import Limits
from features.store.store import Store
from nba.consent import KINDS
from nba.settings import Settings


def limits(settings: Settings, now: int) -> Limits:
    """Return the moments before which things are too old at ``now`` (microseconds)."""
    kept = settings.privacy.retention
    return Limits(
        touchpoints=now - kept.touchpoints_us,
        decisions=now - kept.decisions_us,
        quarantine=now - kept.quarantine_us,
        kept=tuple(sorted(KINDS)),
    )


def retain(store: Store, settings: Settings, now: int, *, by: str) -> dict[str, int]:
    """Remove what is too old from store and lakes; says how many rows of each kind went.

    Raises
    ------
    LakeError
        Where a lake of the store cannot be read or written.
    StoreError
        Where the store would not take it.
    """
    asked = limits(settings, now)
    found = retention.forget(store, asked)
    for lake in store.lakes():
        from features.lake import erasing

        found["touchpoints"] += erasing.forget(Path(lake), asked.touchpoints, asked.kept)
    if any(found.values()):
        with store.writing() as writing:
            append(
                writing,
                at=now,
                by=by,
                what="retention",
                subject="everybody",
                reason="[privacy] retention",
                details={"removed": found},
            )
    return found
