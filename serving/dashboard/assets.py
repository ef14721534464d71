"""What pages are made of besides their text, named by its content, so that browsers keep it."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from serving.problems import Problem

PATH = "/assets/"
_FOLDER = Path(__file__).parent / "assets"
_TYPES = {".webmanifest": "application/manifest+json", ".js": "text/javascript"}
_KEPT = "public, max-age=31536000, immutable"


def address_of(name: str) -> str:
    """Return the address of an asset, which changes with its content.

    Examples
    --------
    >>> address_of("style.css").startswith("/assets/style-")
    True
    """
    path = Path(name)
    return f"{PATH}{path.stem}-{_digest(name)}{path.suffix}"


def content_of(name: str) -> bytes:
    """Return an asset's bytes."""
    return _content(name)


async def get_asset(request: Request) -> Response:
    """Answer with an asset.

    Raises
    ------
    Problem
        404 where there is none of this name.
    """
    asked = request.path_params["name"]
    for name in _names():
        if asked == address_of(name).removeprefix(PATH):
            return Response(_content(name), media_type=_type(name), headers={"Cache-Control": _KEPT})
    raise Problem(404, "no-such-name", "no page is made of this")


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(path.name for path in _FOLDER.iterdir() if path.is_file()))


@cache
def _content(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_content(name)).hexdigest()[:12]


def _type(name: str) -> str:
    suffix = Path(name).suffix
    return _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
