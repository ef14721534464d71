"""Framed records: each with its length and a checksum, so that a torn or damaged file gives back what is whole.

A file begins with a mark and a salt of its own. The checksum is BLAKE2b keyed by the salt over the number of the
record and its bytes: what another file left on the disk, zeros, and a record in another's place are no records.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

_MARK = b"NBAJRNL1"
_SALT_BYTES = 16
_DIGEST_BYTES = 8
_LENGTH = struct.Struct("<I")
HEADER_BYTES = len(_MARK) + _SALT_BYTES
FRAME_BYTES = _LENGTH.size + _DIGEST_BYTES
"""What a frame has beside its record."""
LONGEST = 2**30
"""Bytes of the longest record."""


@dataclass(frozen=True)
class Found:
    """What a file held.

    ``places`` are the (offset, length) of each whole record, in order; ``damaged`` counts the records that are not as
    they were written; ``is_torn`` says that the file ends in the midst of one, as it does after a power failure.
    """

    places: tuple[tuple[int, int], ...]
    damaged: int
    is_torn: bool


def header() -> bytes:
    """Make the beginning of a new file."""
    return _MARK + secrets.token_bytes(_SALT_BYTES)


def frame(start: bytes, number: int, record: bytes) -> bytes:
    """Put a record into its frame.

    Parameters
    ----------
    start
        The file's header.
    number
        How many records come before it in the file.

    Raises
    ------
    ValueError
        For an empty record, which zeros would be, and for one longer than ``LONGEST``.

    Examples
    --------
    >>> start = header()
    >>> whole = start + frame(start, 0, b"first") + frame(start, 1, b"second")
    >>> [whole[at : at + length] for at, length in scan(whole).places]
    [b'first', b'second']
    >>> scan(whole[:-1]).places == scan(whole).places[:1]
    True
    """
    if not 0 < len(record) <= LONGEST:
        raise ValueError(f"a record has {len(record):,} bytes; it must have from 1 to {LONGEST:,}")
    return _LENGTH.pack(len(record)) + _digest(start, number, record) + record


def scan(data: bytes | memoryview) -> Found:
    """Find the records of a file; of a file that is none of ours there are none."""
    data = memoryview(data)
    start = bytes(data[:HEADER_BYTES])
    if len(start) < HEADER_BYTES or not start.startswith(_MARK):
        return Found((), int(len(data) > HEADER_BYTES), is_torn=len(data) > 0)
    whole: list[tuple[int, int]] = []
    at, damaged, number = HEADER_BYTES, 0, 0
    for at, length in _steps(data):
        number += 1
        if _digest(start, number - 1, data[at : at + length]) == data[at - _DIGEST_BYTES : at]:
            whole.append((at, length))
        else:
            damaged += 1
        at += length
    return Found(tuple(whole), damaged, is_torn=at < len(data))


def _steps(data: memoryview) -> Iterator[tuple[int, int]]:
    """Go from frame to frame by their lengths, as far as they lie within the file."""
    at = HEADER_BYTES
    while at + FRAME_BYTES <= len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += FRAME_BYTES
        if length == 0 or at + length > len(data):
            return
        yield at, length
        at += length


def _digest(start: bytes, number: int, record: bytes | memoryview) -> bytes:
    found = blake2b(number.to_bytes(8, "little"), key=start, digest_size=_DIGEST_BYTES)
    found.update(record)
    return found.digest()
