"""The address under which this service is called, as its callers spell it."""

from __future__ import annotations

import os

from starlette.requests import Request

PUBLIC_URL = "NBA_PUBLIC_URL"
"""Names the environment variable with the address that callers use, where something stands in between."""


def own_address(request: Request) -> str:
    """Return scheme, host and port, without a slash behind: ``NBA_PUBLIC_URL``, else what the request came to."""
    said = os.environ.get(PUBLIC_URL, "").strip().rstrip("/")
    return said or f"{request.url.scheme}://{request.url.netloc}"
