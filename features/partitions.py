"""Cutting contacts into partitions by the hash of a name, so that every machine cuts alike."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray


def partition_of(name: str, partitions: int) -> int:
    """Partition of a name: the CRC-32 of its UTF-8, which every language has, modulo their number.

    Examples
    --------
    >>> partition_of("crm:4711", 64)
    59
    """
    return crc32(name.encode("utf-8", "surrogatepass")) % partitions


def partition_codes(names: Sequence[str], partitions: int) -> NDArray[np.int32]:
    """Partition of each name, shape (n,)."""
    return np.fromiter((partition_of(name, partitions) for name in names), dtype=np.int32, count=len(names))


def members(names: Sequence[str], partitions: int) -> list[NDArray[np.int64]]:
    """Places of the names of each partition, rising; partitions without a name are left out.

    Parameters
    ----------
    names
        What decides: of contacts that must stay together the name they share.

    Examples
    --------
    >>> [part.tolist() for part in members(["ann", "bob", "cid"], 2)]
    [[1, 2], [0]]
    """
    code = partition_codes(names, partitions)
    order = np.argsort(code, kind="stable").astype(np.int64)
    edges = np.flatnonzero(np.diff(code[order])) + 1
    return [part for part in np.split(order, edges) if len(part)]
