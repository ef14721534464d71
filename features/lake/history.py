"""Touchpoints from wherever a store keeps them: its own tables and the lakes that belong to it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from features.rows.row_types import EXPLAINED
from features.touchpoints.order import rows_of
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints, TouchpointTuple

if TYPE_CHECKING:
    from features.lake.lake import Lake
    from features.store.reading import Reading

_REMEMBERED_SECONDS = 10.0
_remembered: WeakKeyDictionary[Reading, tuple[float, bool]] = WeakKeyDictionary()
_ID, _KIND, _DECISION, _ACTION = 2, 3, 11, 12


def touchpoints_of(store: Reading, before: int | None, rules: TouchpointRules) -> Touchpoints:
    """Everybody's touchpoints strictly before a moment, contacts in order of name.

    One that is in several places - the same identity, time, id and kind - counts once.

    Raises
    ------
    LakeError
        Where a lake cannot be read.
    """
    found = Touchpoints.from_rows(store.touchpoint_rows(before), rules)
    lakes = lakes_of(store)
    if not lakes:
        return found
    actions: dict[str, str | None] = {row.decision_id: row.action for row in store.decision_rows(without=EXPLAINED)}
    return _united([found, *(lake.touchpoints(rules, before=before, actions=actions) for lake in lakes)])


def contact_touchpoints(
    store: Reading, identity: str, before: int, rules: TouchpointRules, packed: bytes | None = None
) -> Touchpoints:
    """One identity's touchpoints strictly before a moment.

    Whether there are lakes is looked up every ten seconds: a request must not wait for a question whose answer
    hardly ever changes.

    Parameters
    ----------
    packed
        As in ``Reading.touchpoints``.
    """
    if not has_lakes(store):
        return store.touchpoints(identity, before, rules, packed)
    return Touchpoints.from_rows(contact_rows(store, identity, before), rules)


def contact_rows(store: Reading, identity: str, before: int) -> list[TouchpointTuple]:
    """One identity's rows, like ``Store.history``."""
    found = store.history(identity, before)
    lakes = lakes_of(store) if has_lakes(store) else []
    if not lakes:
        return found
    seen = {(row[1], row[_ID], row[_KIND]) for row in found}
    for lake in lakes:
        for row in lake.history(identity, before):
            if (row[1], row[_ID], row[_KIND]) not in seen:
                seen.add((row[1], row[_ID], row[_KIND]))
                found.append(_about(store, row))
    return sorted(found, key=lambda row: row[:3])


def touchpoint_rows(store: Reading, before: int) -> Iterator[TouchpointTuple]:
    """Everybody's rows strictly before a moment, like ``Store.touchpoint_rows``, those of lakes behind the others."""
    yield from store.touchpoint_rows(before)
    for lake in lakes_of(store):
        yield from lake.rows(before)


def has_touchpoints(store: Reading, identity: str) -> bool:
    """Whether anything ever happened under an identity."""
    return store.has_touchpoints(identity) or any(lake.history(identity, 2**63 - 1) for lake in lakes_of(store))


def first_touchpoint_at(store: Reading) -> int | None:
    """When the records begin."""
    found = [store.first_touchpoint_at(), *(lake.first_at() for lake in lakes_of(store))]
    return min((at for at in found if at is not None), default=None)


def last_touchpoint_at(store: Reading, before: int | None = None) -> int | None:
    """When the last touchpoint happened."""
    found = [store.last_touchpoint_at(before), *(lake.last_at(before) for lake in lakes_of(store))]
    return max((at for at in found if at is not None), default=None)


def counts(store: Reading) -> dict[str, int]:
    """Like ``Store.counts``; who is in several places is one contact, what is in several is counted in each."""
    found = store.counts()
    lakes = lakes_of(store)
    if lakes:
        names = {name for lake in lakes for name in lake.identities()}
        known = {name for name in names if store.has_touchpoints(name)}
        found["touchpoints"] += sum(map(len, lakes))
        found["contacts"] += len(names) - len(known)
    return found


def lakes_of(store: Reading) -> list[Lake]:
    """Lakes that belong to a store; without one Parquet's library is not loaded.

    Raises
    ------
    LakeError
        Where one of them is not there, or damaged: its touchpoints would be missed.
    """
    folders = store.lakes()
    if not folders:
        return []
    from features.lake.lake import Lake, LakeError

    gone = [folder for folder in folders if not Path(folder).is_dir()]
    if gone:
        raise LakeError(
            f"the lake {gone[0]}, which holds touchpoints of this store, is not there; mount it, or restore the folder"
        )
    return [Lake(folder) for folder in folders]


def has_lakes(store: Reading) -> bool:
    """Whether lakes belong to a store, or did some seconds ago."""
    now = time.monotonic()
    known = _remembered.get(store)
    if known is None or now - known[0] >= _REMEMBERED_SECONDS:
        known = _remembered[store] = now, bool(store.lakes())
    return known[1]


def _about(store: Reading, row: TouchpointTuple) -> TouchpointTuple:
    """Return a row of a lake with the action of the decision it names, as the store's own have it."""
    if row[_ACTION] is not None or row[_DECISION] is None:
        return row
    decision = store.decision(row[_DECISION])
    return row if decision is None else (*row[:_ACTION], decision.action, *row[_ACTION + 1 :])


def _united(parts: Sequence[Touchpoints]) -> Touchpoints:
    everything = Touchpoints.joined(parts)
    places: dict[str, list[int]] = {}
    for code, name in enumerate(everything.contacts):
        places.setdefault(name, []).append(code)
    names = sorted(places)
    found = everything.merged([places[name] for name in names], names)
    several = [i for i, name in enumerate(names) if len(places[name]) > 1]
    return _without(found, _repeated(found, several)) if several else found


def _repeated(t: Touchpoints, contacts: Sequence[int]) -> NDArray[np.int64]:
    """Rows of these contacts that stand for a touchpoint which an earlier row is already."""
    found: list[int] = []
    for contact in contacts:
        low, high = int(t.start[contact]), int(t.start[contact + 1])
        edges = [low, *(low + 1 + np.flatnonzero(np.diff(t.occurred_at[low:high]))).tolist(), high]
        for first, last in pairwise(edges):
            if last - first > 1:
                seen: set[tuple[str, int]] = set()
                for row in range(first, last):
                    key = t.touchpoint_id[row], int(t.kind[row])
                    if key in seen:
                        found.append(row)
                    seen.add(key)
    return np.array(found, dtype=np.int64)


def _without(t: Touchpoints, rows: NDArray[np.int64]) -> Touchpoints:
    keep = np.ones(len(t), dtype=np.bool_)
    keep[rows] = False
    kept = np.concatenate([[0], np.cumsum(keep)])
    return replace(t, start=kept[t.start], **rows_of(t, np.flatnonzero(keep)))
