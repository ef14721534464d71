"""The bytes of a body, as many as are allowed."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request

from serving.intake.inflating import inflate
from serving.problems import Problem

MEBIBYTE = 1024 * 1024
SHORT = 8 * 1024
"""Bytes up to which a body is read in one go where it says how long it is."""
_MOST_DIGITS = 19


async def read_body(request: Request, most: int = MEBIBYTE, *, may_be_packed: bool = False) -> bytes:
    """Read a body, whatever its Content-Type says.

    Parameters
    ----------
    most
        How many bytes it may have, as sent and unpacked.
    may_be_packed
        Whether it may be gzip, as the header Content-Encoding then says.

    Raises
    ------
    Problem
        413 where there are more, 415 where they are packed in a way that is not read here, 400 where they are no gzip.
    """
    encoding = header(request, b"content-encoding").decode("latin-1").strip().lower()
    is_packed = encoding in ("gzip", "x-gzip")
    if encoding not in ("", "identity") and not (is_packed and may_be_packed):
        way = "send the body as it is, or as gzip" if may_be_packed else "send the body as it is"
        raise Problem(415, "packed-body", f"Content-Encoding is not understood here; {way}")
    said = length_said(request)
    if said is not None and said > most:
        raise _too_large(most)
    if is_short(said) and not is_packed:
        body = await request.body()
        if len(body) > most:
            raise _too_large(most)
        return body
    found = bytearray()
    # What is said may be wrong or left out, so what comes is counted too.
    async for chunk in request.stream():
        found += chunk
        if len(found) > most:
            raise _too_large(most)
    return inflate(bytes(found), most) if is_packed else bytes(found)


def header(request: Request, name: bytes) -> bytes:
    """Return the first header of a name, which is in small letters; nothing where there is none."""
    headers: Iterable[tuple[bytes, bytes]] = request.scope["headers"]
    for found, value in headers:
        if found == name:
            return value
    return b""


def length_said(request: Request) -> int | None:
    """Return how many bytes a body says that it has; None where it does not say."""
    said = header(request, b"content-length")
    return int(said) if said.isdigit() and len(said) <= _MOST_DIGITS else None


def is_short(said: int | None) -> bool:
    """Whether a body says that it is short."""
    return said is not None and said <= SHORT


def _too_large(most: int) -> Problem:
    detail = f"the body is larger than {most:,} bytes; send less at a time"
    # The rest of the body is not read, so the connection cannot be used again.
    return Problem(413, "body-too-large", detail, headers={"Connection": "close"})
