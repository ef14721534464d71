"""Forms that carry a file, which browsers send in parts (RFC 7578)."""

from __future__ import annotations

from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP

from serving.dashboard import session
from serving.dashboard.visit import SEAL, Visit
from serving.intake.body import read_body
from serving.problems import Problem

_ROOM = 64 * 1024
"""Bytes beside the file itself."""
_MOST_PARTS = 20


async def upload(visit: Visit, most: int) -> Mapping[str, bytes]:
    """Return the fields of a form with a file that one of our own pages has sent.

    Parameters
    ----------
    most
        Bytes that the file may have.

    Raises
    ------
    Problem
        403 where it does not carry the seal of this sign-in, 413 where it is too large, 422 where it is no such form.
    """
    said = visit.request.headers.get("content-type", "")
    body = await read_body(visit.request, most + _ROOM)
    found = _parts(said, body)
    if found is None:
        raise Problem(422, "invalid-request", "this is not what a form with a file sends; use the form on the page")
    seal = found.get(SEAL, b"").decode("latin-1")
    if visit.token is None or not session.is_sealed(visit.service.secret, visit.token, seal):
        raise Problem(403, "foreign-form", visit.words.foreign_form)
    return found


def _parts(said: str, body: bytes) -> dict[str, bytes] | None:
    if not said.startswith("multipart/form-data") or "\r" in said or "\n" in said:
        return None
    told = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {said}\r\n\r\n".encode("latin-1", "replace") + body)
    if not told.is_multipart():
        return None
    found: dict[str, bytes] = {}
    for part in list(told.iter_parts())[:_MOST_PARTS]:
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = content
    return found
