"""The file that a store was opened in, and whether it is still the one that its name leads to."""

from __future__ import annotations

import os

from features.store.dialect import Cursor

Identity = tuple[int, int]


class OpenedFile:
    """A file of SQLite with the write-ahead log beside it.

    As SQLite itself does where it keeps no such log, device and inode are compared: what is written to a file that was
    moved away is acknowledged and lost.
    """

    def __init__(self) -> None:
        self._path: str | None = None
        self._file: Identity | None = None
        self._log: Identity | None = None

    def made(self, cursor: Cursor) -> None:
        """Take note of the file that was made ready."""
        self._path = cursor.execute("PRAGMA database_list").fetchone()[2]
        self._file, self._log = _identity(self._path), None

    def written(self) -> None:
        """Take note of its log; who has a file open keeps that, and it is not made anew before all have closed it."""
        if self._log is None:
            self._log = _identity(f"{self._path}-wal")

    def closed(self) -> None:
        """Forget its log: SQLite removes it behind the last that closes the file."""
        self._log = None

    @property
    def is_missing(self) -> bool:
        """Whether it was there and nothing is."""
        return self._file is not None and _identity(self._path) is None

    @property
    def is_other(self) -> bool:
        """Whether it or its log was moved, removed or replaced; false where none was made ready."""
        if self._file is None:
            return False
        has_other_log = self._log is not None and _identity(f"{self._path}-wal") != self._log
        return has_other_log or _identity(self._path) != self._file


def _identity(path: str | None) -> Identity | None:
    """Return what tells the file that is there now from all others; None where none is."""
    try:
        found = os.stat(path or "")
    except OSError:
        return None
    return found.st_dev, found.st_ino
