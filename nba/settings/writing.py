"""A settings file put in the place of another: whole or not at all, and the one before is kept."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from features.durable import sync
from nba.settings.table import SettingsError


def read_text(path: Path) -> str:
    """Return the text of a file, its line ends as they are.

    Raises
    ------
    SettingsError
        Where it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from None


def write_text(path: Path, text: str) -> Path:
    """Put a text in the place of a file, and return where the one before is kept.

    Raises
    ------
    SettingsError
        Where the folder does not let it; then the file is as it was.
    """
    kept = path.with_name(path.name + ".bak")
    try:
        shutil.copy2(path, kept)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(path, name)
            os.replace(name, path)
        except OSError:
            with suppress(OSError):
                os.unlink(name)
            raise
        sync(path.parent)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written: {error.strerror}; it is as it was") from None
    return kept
