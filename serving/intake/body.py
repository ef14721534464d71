"""The bytes of a body, as many as are allowed."""

from __future__ import annotations

from starlette.requests import Request

from serving.problems import Problem

MEBIBYTE = 1024 * 1024


async def read_body(request: Request, most: int = MEBIBYTE) -> bytes:
    """Read a body, whatever its Content-Type says.

    Parameters
    ----------
    most
        How many bytes it may have.

    Raises
    ------
    Problem
        413 where there are more, 415 where they are packed.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() not in ("", "identity"):
        raise Problem(415, "packed-body", "Content-Encoding is not understood here; send the body as it is")
    said = request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and len(said) < 20 and int(said) > most:
        raise _too_large(most)
    found = bytearray()
    # What is said may be wrong or left out, so what comes is counted too.
    async for chunk in request.stream():
        found += chunk
        if len(found) > most:
            raise _too_large(most)
    return bytes(found)


def _too_large(most: int) -> Problem:
    detail = f"the body is larger than {most:,} bytes; send less at a time"
    # The rest of the body is not read, so the connection cannot be used again.
    return Problem(413, "body-too-large", detail, headers={"Connection": "close"})
