"""The bytes of a body, as many as are allowed."""

from __future__ import annotations

from starlette.requests import Request

from serving.intake.inflating import inflate
from serving.problems import Problem

MEBIBYTE = 1024 * 1024


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
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    is_packed = encoding in ("gzip", "x-gzip")
    if encoding not in ("", "identity") and not (is_packed and may_be_packed):
        way = "send the body as it is, or as gzip" if may_be_packed else "send the body as it is"
        raise Problem(415, "packed-body", f"Content-Encoding is not understood here; {way}")
    said = request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and len(said) < 20 and int(said) > most:
        raise _too_large(most)
    found = bytearray()
    # What is said may be wrong or left out, so what comes is counted too.
    async for chunk in request.stream():
        found += chunk
        if len(found) > most:
            raise _too_large(most)
    return inflate(bytes(found), most) if is_packed else bytes(found)


def _too_large(most: int) -> Problem:
    detail = f"the body is larger than {most:,} bytes; send less at a time"
    # The rest of the body is not read, so the connection cannot be used again.
    return Problem(413, "body-too-large", detail, headers={"Connection": "close"})
