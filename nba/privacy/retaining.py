"""How long things are kept, by ``[privacy] retention``; what gives or takes consent stays as long as the person."""

from __future__ import annotations

from pathlib import Path

from features.store import retention
from features.store.audit import append
from features.store.retention import Limits
from features.store.store import Store
from nba.consent import word_of
from nba.settings import Settings


def limits(store: Store, settings: Settings, now: int) -> Limits:
    """Return the moments before which things are too old at ``now`` (microseconds), and which kinds stay."""
    kept = settings.privacy.retention
    before = now - kept.touchpoints_us
    return Limits(
        touchpoints=before,
        decisions=now - kept.decisions_us,
        quarantine=now - kept.quarantine_us,
        # However they are spelt: a file may say "Unsubscribed".
        kept=tuple(filter(_stays, retention.old_kinds(store, before))),
    )


def _stays(kind: str) -> bool:
    return word_of(kind) is not None


def retain(store: Store, settings: Settings, now: int, *, by: str) -> dict[str, int]:
    """Remove what is too old from store and lakes; says how many rows of each kind went.

    Raises
    ------
    LakeError
        Where a lake of the store cannot be read or written.
    StoreError
        Where the store would not take it.
    """
    asked = limits(store, settings, now)
    found = retention.forget(store, asked)
    for lake in store.lakes():
        from features.lake import erasing

        found["touchpoints"] += erasing.forget(Path(lake), asked.touchpoints, _stays)
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
