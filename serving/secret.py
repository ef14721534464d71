"""The service's secret: what makes a draw unforeseeable for callers and the same again after a restart."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from features.errors import UserError

FILE = ".nba-secret"
_LEAST = 16


class SecretError(UserError):
    """The secret cannot be read or is too short."""


def read_secret(folder: Path, environ: Mapping[str, str]) -> bytes:
    """Take the secret from ``NBA_SECRET``, else from its file, which is made where there is none.

    Raises
    ------
    SecretError
        Where it is shorter than 16 bytes, or the file can be neither read nor made.
    """
    given = environ.get("NBA_SECRET")
    if given is not None:
        return _long_enough(given.encode(errors="surrogateescape"), "NBA_SECRET")
    path = folder / FILE
    try:
        _make(path)
        return _long_enough(path.read_bytes().strip(), str(path))
    except OSError as error:
        raise SecretError(
            f"the secret {str(path)!r} cannot be read or made ({error.strerror}); "
            "make the folder writable, or set NBA_SECRET"
        ) from error


def _make(path: Path) -> None:
    if path.exists():
        return
    # Written aside and linked into place, so that another process that starts now finds all of it or none.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, secrets.token_hex(32).encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _long_enough(secret: bytes, where: str) -> bytes:
    if len(secret) < _LEAST:
        raise SecretError(f"the secret in {where} is shorter than {_LEAST} bytes; give a longer one")
    return secret
