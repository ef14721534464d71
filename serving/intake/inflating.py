"""Packed bodies: unpacked as far as is allowed, so that a few bytes cannot fill the memory."""

from __future__ import annotations

import zlib

from serving.problems import Problem

MOST_RATIO = 100
"""How many times larger than it was sent a body may become."""

ALWAYS_ALLOWED = 256 * 1024
"""How many bytes a body may become whatever its ratio: short ones of many equal events are packed well."""

_GZIP = 16 + zlib.MAX_WBITS


def inflate(packed: bytes, most: int) -> bytes:
    """Unpack gzip, one member or several behind each other.

    Parameters
    ----------
    packed
        What was sent.
    most
        How many bytes it may become.

    Raises
    ------
    Problem
        400 where it is no whole gzip, 413 where it becomes too large, or larger than ``MOST_RATIO`` times itself.

    Examples
    --------
    >>> import gzip
    >>> inflate(gzip.compress(b"{}"), 100)
    b'{}'
    """
    most = min(most, max(ALWAYS_ALLOWED, MOST_RATIO * len(packed)))
    found = bytearray()
    rest = packed
    while rest:
        unpacking = zlib.decompressobj(_GZIP)
        try:
            # One byte more than is allowed shows that there is more.
            found += unpacking.decompress(rest, most + 1 - len(found))
        except zlib.error as error:
            raise _broken("is not gzip, though Content-Encoding says so") from error
        if len(found) > most:
            detail = f"the body unpacks to more than {most:,} bytes; send less at a time"
            raise Problem(413, "body-too-large", detail)
        if not unpacking.eof:
            raise _broken("is cut off in the middle; send it whole")
        rest = unpacking.unused_data
    return bytes(found)


def _broken(why: str) -> Problem:
    return Problem(400, "malformed-body", f"the body cannot be read: it {why}", errors=[("body", why)])
