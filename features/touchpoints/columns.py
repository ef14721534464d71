"""Columns in any order brought into the order of contacts and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.codes import NONE
from features.sorting import gather, sort_order
from features.texts import Texts, taken
from features.touchpoints.order import CODED, OPTIONAL, TEXTS, Columns, ranges, settle_ties

I64 = NDArray[np.int64]
Order = NDArray[np.int32] | None
"""The row that stands at each place; None where every row stands at its own."""

_TYPES: Mapping[str, tuple[Any, Any]] = {
    "kind": (np.int32, None),
    "channel": (np.int32, np.int32(NONE)),
    "outbound": (np.bool_, np.False_),
    "value": (np.float64, np.float64(np.nan)),
    "margin": (np.float64, np.float64(np.nan)),
    "duration": (np.float64, np.float64(np.nan)),
    "decision": (np.int32, np.int32(NONE)),
    "action": (np.int32, np.int32(NONE)),
}
"""The type of each column, and the value that stands for a column that is left out."""


def ordered(contacts: Sequence[str], contact: NDArray[Any], occurred_at: I64, given: Mapping[str, Any]) -> Columns:
    """Fields of ``Touchpoints`` from columns in any order; see ``Touchpoints.from_columns``."""
    n = len(occurred_at)
    _check(len(contacts), contact, n, given)
    order, start = _order(contact, occurred_at, len(contacts), given.get("touchpoint_id"))
    found: Columns = {"contacts": list(contacts), "start": start, "occurred_at": _picked(occurred_at, order, np.int64)}
    for name, (dtype, absent) in _TYPES.items():
        column = given.get(name)
        found[name] = np.broadcast_to(absent, n) if column is None else _picked(column, order, dtype)
    for name in OPTIONAL:
        column = given.get(name)
        found[name] = None if column is None else _picked(column, order, np.int64)
    for name, without in zip(TEXTS, ("", None), strict=True):
        texts = given.get(name)
        found[name] = Texts.alike(without, n) if texts is None else _texts(texts, order)
    for name in (*CODED.values(), "topics"):
        found[name] = list(given.get(name, ()))
    found["topic_start"], found["topic"] = _topics(given.get("topic_start"), given.get("topic"), order, n)
    return found


def _check(n_contacts: int, contact: NDArray[Any], n: int, given: Mapping[str, Any]) -> None:
    if len(contact) != n:
        raise ValueError(f"{len(contact)} contacts for {n} times; give one of each per touchpoint")
    if n and not 0 <= int(contact.min()) <= int(contact.max()) < n_contacts:
        raise ValueError(
            f"contact codes from {contact.min()} to {contact.max()} do not fit {n_contacts} contacts; "
            "number them from 0 in the order of `contacts`"
        )
    for name, column in given.items():
        is_one_each = name in _TYPES or name in OPTIONAL or name in TEXTS or name == "topic_start"
        wanted = n + (name == "topic_start")
        if is_one_each and column is not None and len(column) != wanted:
            raise ValueError(f"column {name!r} has {len(column)} entries, not {wanted}; give one per touchpoint")


def _order(
    contact: NDArray[Any], occurred_at: I64, n_contacts: int, touchpoint_id: Sequence[str] | None
) -> tuple[Order, I64]:
    """Rows in (contact, occurred_at, touchpoint_id) order, None where they are, and where each contact begins."""
    is_later = contact[1:] > contact[:-1]
    same_contact = contact[1:] == contact[:-1]
    if bool(np.all(is_later | (same_contact & (occurred_at[1:] >= occurred_at[:-1])))):
        del is_later
        order = None
        start = np.concatenate([[0], np.cumsum(np.bincount(contact, minlength=n_contacts))]).astype(np.int64)
    else:
        del is_later, same_contact
        order, start = sort_order(
            np.ascontiguousarray(contact, dtype=np.int32), np.ascontiguousarray(occurred_at, dtype=np.int64), n_contacts
        )
    if touchpoint_id is None:
        return order, start
    return _with_ties(order, contact, occurred_at, touchpoint_id), start


def _with_ties(order: Order, contact: NDArray[Any], occurred_at: I64, touchpoint_id: Sequence[str]) -> Order:
    at = occurred_at if order is None else occurred_at[order]
    same = at[1:] == at[:-1]
    if not same.any():
        return order
    whose = contact if order is None else contact[order]
    same &= whose[1:] == whose[:-1]
    found = np.arange(len(at), dtype=np.int32) if order is None else order
    settle_ties(found, same, touchpoint_id.__getitem__)
    return found


def _picked(column: NDArray[Any], order: Order, dtype: Any) -> NDArray[Any]:
    # Gathered before it is widened, so that a narrow column is never held twice at full width.
    found: NDArray[Any] = np.ascontiguousarray(column if order is None else gather(column, order), dtype=dtype)
    return found


def _texts(texts: Sequence[Any], order: Order) -> Sequence[Any]:
    return texts if order is None else taken(texts, order)


def _topics(topic_start: I64 | None, topic: NDArray[Any] | None, order: Order, n: int) -> tuple[I64, NDArray[np.int32]]:
    if topic is None:
        return np.zeros(n + 1, dtype=np.int64), np.zeros(0, dtype=np.int32)
    if topic_start is None:
        one_each = _picked(topic, order, np.int32)
        start = np.zeros(n + 1, dtype=np.int64)
        np.cumsum(one_each >= 0, out=start[1:])
        return start, one_each[one_each >= 0] if start[-1] < n else one_each
    if order is None:
        return np.asarray(topic_start, dtype=np.int64), np.ascontiguousarray(topic, dtype=np.int32)
    length = (topic_start[1:] - topic_start[:-1])[order]
    start = np.concatenate([[0], np.cumsum(length)])
    return start, topic[ranges(topic_start[:-1][order], length)].astype(np.int32)
