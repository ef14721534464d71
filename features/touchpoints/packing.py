"""One contact's history as bytes, of which most is read where it lies."""

from __future__ import annotations

from functools import lru_cache
from struct import unpack_from
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from features.texts import Texts
from features.touchpoints.told import Names, Told

MAGIC = int.from_bytes(b"nbapack1", "little")
"""The first word; its last character is the version."""

_HEADER = 12
_SUM = 2
_ENTRIES, _STARTS, _TOPICS = range(3)
"""How many entries a column has: one per touchpoint, one more, or one per topic of a touchpoint."""
_COLUMNS: tuple[tuple[str, Any, int], ...] = (
    ("occurred_at", np.int64, _ENTRIES),
    ("topic_start", np.int64, _STARTS),
    ("value", np.float64, _ENTRIES),
    ("margin", np.float64, _ENTRIES),
    ("duration", np.float64, _ENTRIES),
    ("kind", np.int32, _ENTRIES),
    ("channel", np.int32, _ENTRIES),
    ("decision", np.int32, _ENTRIES),
    ("action", np.int32, _ENTRIES),
    ("currency", np.int32, _ENTRIES),
    ("topic", np.int32, _TOPICS),
    ("id_begin", np.int32, _ENTRIES),
    ("id_end", np.int32, _ENTRIES),
    ("properties_begin", np.int32, _ENTRIES),
    ("properties_end", np.int32, _ENTRIES),
    ("direction", np.int8, _ENTRIES),
    ("asked", np.int8, _ENTRIES),
)
_PLACES = {name for name, _, _ in _COLUMNS if name.endswith(("_begin", "_end"))}
_VIEWS: dict[Any, int] = {np.int64: 0, np.float64: 1, np.int32: 2, np.int8: 3}
_MOST_REMEMBERED = 4096
_names: dict[bytes, Names] = {}


class PackError(ValueError):
    """Bytes are no packed history, or one that was damaged or packed by another version."""


def pack(told: Told) -> bytes:
    """Bytes of a history.

    A header of 64-bit words; then columns of 64-bit, 32-bit and 8-bit numbers, each beginning at a whole word; the
    texts; and the names, as JSON: first those that histories have in common. A column that says nothing is left out.

    Raises
    ------
    PackError
        Where it takes more than 2 GB.
    """
    columns, heap = _with_places(told)
    given = {name: np.asarray(columns[name], dtype=dtype) for name, dtype, _ in _COLUMNS if columns[name] is not None}
    common, own = orjson.dumps(told.names.lists()), orjson.dumps([told.identity, told.decisions])
    texts_at = 8 * (_HEADER + sum(_words(column) for column in given.values()))
    end = texts_at + len(heap) + len(common) + len(own)
    if end >= 2**31:
        raise PackError(f"the history of {told.identity!r} has {end} bytes; at most 2 GB can be packed")
    words = np.zeros((end + 7) // 8, dtype=np.int64)
    at = _HEADER
    for name, column in given.items():
        # Places are counted from the first byte of all, so that texts are read where they lie.
        placed = column + np.int32(texts_at) if name in _PLACES else column
        words[at : at + _words(column)].view(column.dtype)[: len(column)] = placed
        at += _words(column)
    words.view(np.uint8)[texts_at:end] = np.frombuffer(heap + common + own, dtype=np.uint8)
    has = sum(1 << place for place, (name, _, _) in enumerate(_COLUMNS) if name in given)
    n_topics = len(given.get("topic", ()))
    words[:_HEADER] = (
        MAGIC, len(words), 0, len(told), n_topics, has, texts_at + len(heap), len(common), len(own),
        told.fingerprint, told.unasked, bool(told.undecided()),
    )  # fmt: skip
    words[_SUM] = words.sum()
    return words.tobytes()


def unpack(blob: bytes) -> Told:
    """Read a history, its numbers and texts where they lie.

    Raises
    ------
    PackError
        Where these are no such bytes, or not all of them, or some were changed.
    """
    words, header = _checked(blob)
    n, n_topics, has, names_at, n_common, n_own, mark, unasked, is_open = header
    own_at = names_at + n_common
    identity, decisions = orjson.loads(blob[own_at : own_at + n_own])
    views = (words, words.view(np.float64), words.view(np.int32), words.view(np.int8))
    found: dict[str, Any] = {name: views[view][place] for name, view, place in _plan(has, n, n_topics)}
    found["ids"] = Texts(blob, found.pop("id_begin"), found.pop("id_end"))
    if "properties_end" in found:
        found["properties"] = Texts(blob, found.pop("properties_begin"), found.pop("properties_end"))
    return Told(
        identity, _shared(blob[names_at:own_at]), decisions, fingerprint=mark, unasked=unasked, is_open=bool(is_open),
        **found,
    )  # fmt: skip


def _checked(blob: bytes) -> tuple[NDArray[np.int64], list[int]]:
    """Return the words and what the header says after the sum, where the bytes are whole."""
    if len(blob) < 8 * _HEADER or len(blob) % 8:
        raise PackError(f"{len(blob)} bytes are no packed history; read the rows it was made of")
    # A copy that can be written to, because compiled functions would be compiled anew for one that cannot.
    words = np.frombuffer(bytearray(blob), dtype=np.int64)
    magic, size, total, *header = unpack_from("<12q", blob)
    if magic != MAGIC:
        raise PackError("the bytes are no packed history of this version; read the rows it was made of")
    if size != len(words) or (int(np.add.reduce(words)) - 2 * total) % 2**64:
        raise PackError("a packed history is damaged; read the rows it was made of")
    return words, header


@lru_cache(maxsize=4096)
def _plan(has: int, n: int, n_topics: int) -> tuple[tuple[str, int, slice], ...]:
    """Name, view and place in it of each column that is there."""
    entries, at = (n, n + 1, n_topics), _HEADER
    found = []
    for place, (name, dtype, kind) in enumerate(_COLUMNS):
        if has >> place & 1:
            per_word = 8 // np.dtype(dtype).itemsize
            found.append((name, _VIEWS[dtype], slice(at * per_word, at * per_word + entries[kind])))
            at += (entries[kind] + per_word - 1) // per_word
    return tuple(found)


def _shared(text: bytes) -> Names:
    """Names that histories have in common: the same object for the same names."""
    found = _names.get(text)
    if found is None:
        if len(_names) >= _MOST_REMEMBERED:
            _names.clear()
        found = _names[text] = Names(*orjson.loads(text))
    return found


def _with_places(told: Told) -> tuple[dict[str, Any], bytes]:
    """Columns by name, and the texts that the places among them point into."""
    found = {name: getattr(told, name, None) for name, _, _ in _COLUMNS}
    if told.topic_start is None or told.topic is None or not len(told.topic):
        found["topic_start"] = found["topic"] = None
    found["id_begin"], found["id_end"], heap = _placed(told.ids, 0)
    if told.properties is not None:
        found["properties_begin"], found["properties_end"], more = _placed(told.properties, len(heap))
        heap += more
    return found, heap


def _placed(texts: Texts[Any], at: int) -> tuple[NDArray[Any], NDArray[Any], bytes]:
    """Put texts behind ``at`` bytes, without much that lies between them."""
    dense = texts.trimmed()
    if len(dense.heap) > 2 * int((texts.end - texts.begin).clip(0).sum()) + 64:
        dense = Texts.of(list(texts))
    return dense.begin + at, dense.end + at, bytes(dense.heap)


def _words(column: NDArray[Any]) -> int:
    return (column.nbytes + 7) // 8
