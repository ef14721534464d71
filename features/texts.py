"""Many texts in one piece of memory, decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Generic, Self, TypeVar, cast, overload

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound="str | None")
Places = NDArray[Any]
"""Where texts begin or end, as int64 or int32."""


class Texts(Sequence[T], Generic[T]):
    """Texts, some of which may be None, as bytes of UTF-8 and the place of each among them.

    A slice or a selection shares the bytes.

    Parameters
    ----------
    heap
        The bytes.
    begin, end
        Where each text begins and ends, shape (n,); one that ends before it begins is None.

    Examples
    --------
    >>> texts = Texts.of(["a", None, "ß"])
    >>> list(texts), texts[2], texts[:2] == ["a", None]
    (['a', None, 'ß'], 'ß', True)
    """

    __slots__ = ("begin", "end", "heap")
    __hash__ = None  # type: ignore[assignment] # unhashable, as lists

    def __init__(self, heap: bytes | bytearray | memoryview, begin: Places, end: Places) -> None:
        self.heap = heap
        self.begin = begin
        self.end = end

    @classmethod
    def of(cls, texts: Iterable[T]) -> Self:
        """Put texts together; equal ones that follow each other are kept once."""
        growing = GrowingTexts()
        growing.extend(list(texts))
        return cast(Self, growing.texts())

    @classmethod
    def alike(cls, text: str | None, n: int) -> Self:
        """``n`` times the same text, in the memory of one."""
        heap = b"" if text is None else _encoded(text)
        place = np.zeros(1, dtype=np.int64)
        return cls(heap, np.broadcast_to(place[0], n), np.broadcast_to(np.int64(-1 if text is None else len(heap)), n))

    def __len__(self) -> int:
        return len(self.begin)

    @overload
    def __getitem__(self, row: int) -> T: ...
    @overload
    def __getitem__(self, row: slice) -> Texts[T]: ...
    def __getitem__(self, row: int | slice) -> T | Texts[T]:
        if isinstance(row, slice):
            return type(self)(self.heap, self.begin[row], self.end[row])
        begin, end = int(self.begin[row]), int(self.end[row])
        found: Any = None if end < begin else _decoded(bytes(self.heap[begin:end]))
        return found  # type: ignore[no-any-return] # a cast is a call, and every touchpoint looked at asks for this

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str) or not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __repr__(self) -> str:
        return f"Texts.of({list(self[:3])!r}{' ...' if len(self) > 3 else ''})"

    def take(self, rows: NDArray[Any]) -> Texts[T]:
        """Those of these rows, in their order."""
        return type(self)(self.heap, picked(self.begin, rows), picked(self.end, rows))

    def trimmed(self) -> Texts[T]:
        """Return the same texts without the bytes before the first and behind the last of them."""
        low = int(self.begin[self.end >= self.begin].min(initial=len(self.heap)))
        high = int(self.end.max(initial=0))
        return type(self)(bytes(self.heap[low:high]), self.begin - low, self.end - low)


class GrowingTexts:
    """A heap that texts are put into a chunk at a time; where they repeat themselves, equal ones are kept once."""

    _MOST_REMEMBERED = 65_536

    def __init__(self) -> None:
        self._heap = bytearray()
        self._places: list[tuple[Places, Places]] = []
        self._known: dict[str | None, tuple[int, int]] = {None: _NOWHERE}

    def extend(self, texts: Sequence[str | None]) -> None:
        """Put these behind those that are there."""
        distinct = dict.fromkeys(texts)
        if 2 * len(distinct) > len(texts):
            begin, end = self._all(texts)
        else:
            begin, end = self._once(distinct, texts)
        fits = np.int32 if len(self._heap) < 2**31 else np.int64
        self._places.append((begin.astype(fits), end.astype(fits)))

    def texts(self) -> Texts[Any]:
        """Everything that was put in."""
        if len(self._places) == 1:
            return Texts(self._heap, *self._places[0])
        begins, ends = zip((_EMPTY, _EMPTY), *self._places, strict=True)
        return Texts(self._heap, np.concatenate(begins), np.concatenate(ends))

    def _all(self, texts: Sequence[str | None]) -> tuple[Places, Places]:
        given = [text or "" for text in texts]
        together = "".join(given)
        encoded = _encoded(together)
        if len(encoded) == len(together):
            length = np.fromiter(map(len, given), dtype=np.int64, count=len(given))
        else:
            length = np.fromiter((len(_encoded(text)) for text in given), dtype=np.int64, count=len(given))
        end = np.cumsum(length) + len(self._heap)
        self._heap += encoded
        begin = end - length
        if None in texts:
            end[[i for i, text in enumerate(texts) if text is None]] = -1
        return begin, end

    def _once(self, distinct: Iterable[str | None], texts: Sequence[str | None]) -> tuple[Places, Places]:
        known, heap = self._known, self._heap
        for text in distinct:
            if text is not None and text not in known:
                encoded = _encoded(text)
                known[text] = (len(heap), len(heap) + len(encoded))
                heap += encoded
        pairs = np.fromiter(map(known.__getitem__, texts), dtype=np.dtype((np.int64, 2)), count=len(texts))
        if len(known) > self._MOST_REMEMBERED:
            self._known = {None: _NOWHERE}
        return pairs[:, 0], pairs[:, 1]


_NOWHERE = (0, -1)
_EMPTY = np.zeros(0, dtype=np.int32)


def taken(texts: Sequence[T], rows: slice | NDArray[Any]) -> Sequence[T]:
    """Return the texts of these rows, in their order."""
    if isinstance(rows, slice):
        return texts[rows]
    if isinstance(texts, Texts):
        return texts.take(rows)
    return [texts[row] for row in rows.tolist()]


def chained(parts: Sequence[Sequence[T]]) -> Sequence[T]:
    """Chain the texts of all parts, one part after the other."""
    if not all(isinstance(part, Texts) for part in parts):
        return [text for part in parts for text in part]
    several = cast("Sequence[Texts[T]]", parts)
    if len(several) == 1:
        return several[0]
    if several and all(is_alike(part.begin) and len(part) and part[0] == several[0][0] for part in several):
        return Texts.alike(several[0][0], sum(map(len, several)))
    shift = np.cumsum([0, *(len(part.heap) for part in several)])
    begin = [part.begin + shift[i] for i, part in enumerate(several)]
    end = [part.end + shift[i] for i, part in enumerate(several)]
    empty = np.zeros(0, dtype=np.int64)
    return Texts(
        b"".join(part.heap for part in several), np.concatenate([empty, *begin]), np.concatenate([empty, *end])
    )


def picked(column: NDArray[Any], rows: slice | NDArray[Any]) -> NDArray[Any]:
    """Take some entries of an array; one value in the memory of one stays so."""
    if not isinstance(rows, slice) and is_alike(column) and len(column):
        return np.broadcast_to(column[0], len(rows))
    return column[rows]


def alike(value: NDArray[Any], n: int) -> NDArray[Any]:
    """``n`` times the first entry of an array, in the memory of one."""
    # `np.broadcast_to` says the same, and takes ten times as long.
    return np.ndarray((n,), value.dtype, value, 0, (0,))


def is_alike(column: NDArray[Any]) -> bool:
    """Whether an array is one value in the memory of one."""
    return column.strides == (0,)


# A text read from a file may hold half of a surrogate pair, which has no UTF-8 of its own.
def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(encoded: bytes) -> str:
    return encoded.decode("utf-8", "surrogatepass")
