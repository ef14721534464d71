"""Which language a reader wishes to read."""

from __future__ import annotations

from functools import lru_cache

from starlette.requests import Request

from serving.self_service.words import language_of

_HEADER = b"accept-language"


def wished_language(request: Request, usual: str) -> str | None:
    """Return the language that the header ``Accept-Language`` likes best of ours; None where there is no header.

    Parameters
    ----------
    usual
        Where it likes none of ours: ``serving.language``.
    """
    # Looked up in what the server hands over: most programs send no such header, and all of them wait for this.
    for name, value in request.scope["headers"]:
        if name == _HEADER:
            return _language(value, usual)
    return None


@lru_cache(maxsize=1_024)
def _language(header: bytes, usual: str) -> str:
    return language_of(header.decode("latin-1"), usual)
