"""The matrix of many contacts, computed where the partitions of the contacts are sent."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.matrix import History, Own
from features.partitions import members
from features.touchpoints.touchpoints import Touchpoints
from features.touchpoints.wire import from_bytes, to_bytes
from nba.settings.scale import DASK, Scale
from training.dataset import Rows
from training.parallel import Work, run
from training.past import Past

I64 = NDArray[np.int64]
Matrix = NDArray[np.float32]


def matrix_of(
    past: Past,
    rows: Rows,
    features: FeatureSet,
    own: Own | None,
    scale: Scale,
    *,
    advance: Callable[[int], None],
) -> Matrix:
    """Features of a goal's rows, shape (rows, columns).

    Only a Dask cluster is sent anything: the processors of one machine share the columns as they lie, which is
    faster than sending them to other processes.
    """
    if scale.backend == DASK:
        return matrix_in_parts(past, rows, features, own, scale, advance=advance)
    X = History(past.touchpoints, features).matrix(rows.contact, rows.as_of, traits=past.traits, own=own)
    advance(len(rows))
    return X


def matrix_in_parts(
    past: Past,
    rows: Rows,
    features: FeatureSet,
    own: Own | None,
    scale: Scale,
    *,
    advance: Callable[[int], None],
) -> Matrix:
    """Features of a goal's rows by partitions of contacts; the same bytes for any number of them.

    Columns about accounts, whose contacts lie in any partition, are left to ``Past.fill_account``.

    Parameters
    ----------
    advance
        Told of rows as they are done.

    Raises
    ------
    ScaleError
        Where the workers could not do their work.
    """
    plain = replace(features, traits=(), stage=False, account=False)
    contacts = past.touchpoints.contacts
    parts = members(contacts, scale.partitions)
    places = _places(parts, len(contacts), rows.contact)

    def make(i: int) -> bytes:
        return _task(past.touchpoints, parts[i], rows, places[i], own)

    X = np.full((len(rows), len(features.columns)), np.nan, dtype=np.float32)
    first, last = len(features.history), len(features.columns) - len(features.own_features)
    work = Work(_part, json.dumps(plain.to_json()).encode(), make, len(parts), len(contacts))
    for place, result in zip(places, run(work, scale), strict=True):
        found = np.frombuffer(result, dtype=np.float32).reshape(len(place), len(plain.columns))
        X[place, :first], X[place, last:] = found[:, :first], found[:, first:]
        advance(len(place))
    if features.traits:
        # Traits are looked up for all at once; they are few, and what they hang on is not sent.
        names = History(_without_rows(contacts), features)
        values = past.traits.values(names, rows.contact, rows.as_of, features.traits)
        X[:, first : first + len(features.traits)] = values
    return X


def _without_rows(contacts: list[str]) -> Touchpoints:
    none = np.zeros(0, dtype=np.int64)
    return Touchpoints.from_columns(contacts, none, none, kind=none, kinds=[])


def _places(parts: list[I64], n_contacts: int, contact: I64) -> list[I64]:
    """Places of the rows of each partition's contacts."""
    part_of = np.zeros(n_contacts, dtype=np.int64)
    for i, part in enumerate(parts):
        part_of[part] = i
    of = part_of[contact]
    order = np.argsort(of, kind="stable").astype(np.int64)
    return np.split(order, np.cumsum(np.bincount(of, minlength=len(parts)))[:-1])


def _task(touchpoints: Touchpoints, part: I64, rows: Rows, place: I64, own: Own | None) -> bytes:
    about = None
    if own is not None:
        at = place.tolist()
        about = Own(*([column[i] for i in at] for column in (own.type, own.channel, own.topics, own.numbers)))
    sent = to_bytes(touchpoints.take(part.tolist()), properties=False)
    contact = np.searchsorted(part, rows.contact[place])
    return pickle.dumps((sent, contact, rows.as_of[place], about), protocol=5)


def _part(common: bytes, task: bytes) -> bytes:
    """Fill the rows of a partition where its task was sent."""
    features = FeatureSet.from_json(json.loads(common))
    sent, contact, as_of, own = pickle.loads(task)
    X = History(from_bytes(sent), features).matrix(contact, as_of, own=own, threads=1)
    return np.ascontiguousarray(X).tobytes()
