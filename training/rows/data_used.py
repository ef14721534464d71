"""What a training learnt from, as MLflow's dataset: a name, a digest, counts and the window."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np

from features.times import iso
from features.touchpoints.touchpoints import Touchpoints
from models.registry.session import shown
from models.registry.training_run import DataUsed
from training.past import Past

_LETTERS = 32
"""MLflow keeps 36 of a digest."""


def data_used(past: Past, store_url: str) -> DataUsed:
    """Describe what lies strictly before ``past.now``; the digest is that of the content, whatever holds it."""
    moments = past.recorded.occurred_at
    return DataUsed(
        source=shown(store_url),
        digest=_digest(past),
        counts={
            "touchpoints": len(past.recorded),
            "contacts": sum(code >= 0 for code in past.current().values()),
            "decisions": len(past.decisions),
            "quarantined": past.quarantined,
        },
        since=iso(int(moments.min())),
        until=iso(past.end),
    )


def _digest(past: Past) -> str:
    found = hashlib.sha256()
    for part in _touchpoints(past.recorded):
        found.update(part)
    for text in _rest(past):
        found.update(text.encode() + b"\n")
    return found.hexdigest()[:_LETTERS]


def _touchpoints(recorded: Touchpoints) -> Iterator[bytes]:
    """Every column, codes with the names they stand for."""
    t = recorded
    for names in (t.contacts, t.kinds, t.channels, t.actions, t.topics):
        yield "\n".join(names).encode() + b"\n\n"
    for column in (t.start, t.occurred_at, t.kind, t.channel, t.outbound, t.value, t.margin, t.duration, t.action):
        yield np.ascontiguousarray(column).tobytes()
    yield np.ascontiguousarray(t.topic_start).tobytes() + np.ascontiguousarray(t.topic).tobytes()


def _rest(past: Past) -> Iterable[str]:
    """Traits, decisions, and which identities were contacts."""
    yield from sorted(f"{name} {since} {sorted(body.items())}" for name, since, body in past.recorded_traits.rows())
    yield from sorted(f"{d.identity} {d.decided_at} {d.action} {d.probability}" for d in past.decisions)
    yield from () if past.versions is None else past.versions.names
