"""Answers packed by gzip, for callers that take it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from starlette.requests import Request

HEADERS = {"Content-Encoding": "gzip"}
VARIES = {"Vary": "Accept-Encoding"}
"""Of every answer that may be packed."""
_LEVEL = 5
_GZIP = 31
"""``wbits`` of zlib for gzip's own header and trailer."""


def takes_gzip(request: Request) -> bool:
    """Whether a caller takes gzip (RFC 9110, 12.5.3)."""
    return is_gzip_among(",".join(request.headers.getlist("accept-encoding")))


def is_gzip_among(accepted: str) -> bool:
    """Whether gzip is among the encodings that a header names, and not with no weight.

    Examples
    --------
    >>> [is_gzip_among(each) for each in ("gzip, br", "br;q=1, *;q=0.5", "gzip;q=0, *", "identity", "")]
    [True, True, False, False, False]
    """
    found: dict[str, bool] = {}
    for each in accepted.lower().split(","):
        name, _, weight = each.partition(";")
        _, _, number = weight.partition("=")
        found[name.strip()] = number.strip().strip("0.") != "" if number.strip() else True
    return found.get("gzip", found.get("x-gzip", found.get("*", False)))


def packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pack pieces as they come; some bytes at a time, none of them empty.

    Examples
    --------
    >>> import gzip
    >>> gzip.decompress(b"".join(packed([b"a" * 9, b"", b"b"])))
    b'aaaaaaaaab'
    """
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for piece in pieces:
        found = packing.compress(piece)
        if found:
            yield found
    yield packing.flush()
