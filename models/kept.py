"""A document beside ``nba.toml`` that one process writes and others read."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any


class Kept:
    """One document, written whole or not at all; read from the disk only where it has changed.

    Examples
    --------
    >>> kept = Kept(Path(tempfile.mkdtemp()) / "counts.json")
    >>> kept.read(), kept.put({"n": 1}), kept.read()
    (None, True, {'n': 1})
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None
        self._found: dict[str, Any] | None = None

    def put(self, document: Mapping[str, Any]) -> bool:
        """Write it in the place of the one before; says whether the folder let it."""
        text = json.dumps(document, allow_nan=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{self.path.name}-", dir=self.path.parent)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                os.chmod(name, 0o644)
                os.replace(name, self.path)
            except OSError:
                with suppress(OSError):
                    os.unlink(name)
                raise
        except OSError:
            return False
        return True

    def read(self) -> dict[str, Any] | None:
        """Return it; None where there is none, or nothing that can be read."""
        try:
            told = self.path.stat()
            seen = told.st_mtime_ns, told.st_ino
            if seen != self._seen:
                found = json.loads(self.path.read_text(encoding="utf-8"))
                self._found = found if isinstance(found, dict) else None
                self._seen = seen
        except (OSError, ValueError):
            return None
        return self._found
