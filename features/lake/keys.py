"""Every (source, touchpoint_id) of a lake as 128-bit digests on disk: what was stored once is refused for ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[Any]
"""Records of ``a`` and ``b``, the halves of a digest; sorted by both wherever they lie in a file."""

KEY = np.dtype([("a", "<u8"), ("b", "<u8")])
_ROW = np.dtype([("a", "<u8"), ("b", "<u8"), ("row", "<i8")])
_BUCKETS = 64
_SHIFT = np.uint64(58)


def digests(sources: Iterable[str], ids: Iterable[str]) -> Keys:
    """Digest of each (source, touchpoint_id)."""
    # The length of the source tells ("a", "bc") from ("ab", "c").
    found = [
        blake2b(f"{len(source)} {source}{name}".encode(), digest_size=16).digest()
        for source, name in zip(sources, ids, strict=True)
    ]
    return np.frombuffer(b"".join(found), dtype=KEY)


class NewKeys:
    """Digests of the rows of one append, kept on disk by their highest bits until the append is judged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.n = 0

    def add(self, keys: Keys) -> None:
        """Note the keys of the next rows."""
        rows = np.empty(len(keys), dtype=_ROW)
        rows["a"], rows["b"] = keys["a"], keys["b"]
        rows["row"] = np.arange(self.n, self.n + len(keys))
        self.n += len(keys)
        bucket = rows["a"] >> _SHIFT
        rows = rows[np.argsort(bucket, kind="stable")]
        ends = np.cumsum(np.bincount(bucket.astype(np.int64), minlength=_BUCKETS)).tolist()
        for i, (low, high) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            if low < high:
                with self._path(i).open("ab") as stream:
                    stream.write(rows[low:high].tobytes())

    def judge(self, known: Sequence[Path], into: Path) -> NDArray[np.bool_]:
        """Write the keys that are new into a file; of equal ones among the rows the first is new.

        Returns
        -------
        Whether each row is new, shape (n,).
        """
        keep = np.ones(self.n, dtype=np.bool_)
        stored = [_Bucketed(path) for path in known]
        with into.open("wb") as stream:
            for i in range(_BUCKETS):
                if self._path(i).exists():
                    rows = np.fromfile(self._path(i), dtype=_ROW)
                    rows = rows[np.lexsort((rows["row"], rows["b"], rows["a"]))]
                    new = np.ones(len(rows), dtype=np.bool_)
                    new[1:] = (rows["a"][1:] != rows["a"][:-1]) | (rows["b"][1:] != rows["b"][:-1])
                    for keys in stored:
                        new &= ~_among(rows, keys.bucket(i))
                    keep[rows["row"][~new]] = False
                    fresh = np.empty(int(new.sum()), dtype=KEY)
                    fresh["a"], fresh["b"] = rows["a"][new], rows["b"][new]
                    stream.write(fresh.tobytes())
        return keep

    def _path(self, bucket: int) -> Path:
        return self._folder / f"keys-{bucket:02}.bin"


def merge_keys(paths: Sequence[Path], into: Path) -> None:
    """Write the keys of several files into one, bucket by bucket."""
    stored = [_Bucketed(path) for path in paths]
    with into.open("wb") as stream:
        for i in range(_BUCKETS):
            rows = np.concatenate([keys.bucket(i) for keys in stored])
            stream.write(rows[np.lexsort((rows["b"], rows["a"]))].tobytes())


class _Bucketed:
    """Sorted keys of a file, looked at where they lie, by their highest bits."""

    def __init__(self, path: Path) -> None:
        size = path.stat().st_size // KEY.itemsize
        self._keys: Keys = np.memmap(path, dtype=KEY, mode="r") if size else np.zeros(0, dtype=KEY)
        borders = np.arange(_BUCKETS, dtype=np.uint64) << _SHIFT
        self._bounds = [*np.searchsorted(self._keys["a"], borders).tolist(), size]

    def bucket(self, i: int) -> Keys:
        """Return the keys of a bucket, sorted."""
        return np.asarray(self._keys[self._bounds[i] : self._bounds[i + 1]])


def _among(rows: Keys, keys: Keys) -> NDArray[np.bool_]:
    """Whether each row's key stands among sorted keys."""
    low = np.searchsorted(keys["a"], rows["a"], side="left")
    high = np.searchsorted(keys["a"], rows["a"], side="right")
    found = np.zeros(len(rows), dtype=np.bool_)
    # Two digests with the same first half are all but unheard of, so this goes round once.
    for step in range(int((high - low).max(initial=0))):
        at = low + step
        there = at < high
        found[there] |= keys["b"][at[there]] == rows["b"][there]
    return found
