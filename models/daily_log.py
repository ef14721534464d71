"""What is written once a day about what serves, a line a day in a file beside ``nba.toml``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "comparisons.jsonl"


@dataclass(frozen=True)
class DailyLog:
    """The days of one folder.

    Examples
    --------
    >>> import tempfile
    >>> log = DailyLog(Path(tempfile.mkdtemp()) / FILE)
    >>> log.last() is None, log.add({"day": "2026-11-21", "value": 1.5}), log.last()
    (True, True, {'day': '2026-11-21', 'value': 1.5})
    """

    path: Path

    @classmethod
    def of(cls, folder: Path) -> DailyLog:
        """Name the file of a folder."""
        return cls(folder / FILE)

    def add(self, report: Mapping[str, Any]) -> bool:
        """Keep a day; says whether the folder let it."""
        line = json.dumps(report, allow_nan=False, sort_keys=True) + "\n"
        try:
            # One write to a file opened for appending: two processes do not mix their lines.
            opened = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(opened, line.encode())
            finally:
                os.close(opened)
        except OSError:
            return False
        return True

    def days(self) -> list[dict[str, Any]]:
        """Return every day that can be read, the oldest first; of one day what was written last."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return []
        found: dict[str, dict[str, Any]] = {}
        for line in lines:
            try:
                told = json.loads(line)
                found[str(told["day"])] = told
            except (ValueError, KeyError, TypeError):
                # A line that was cut off when a machine went down says nothing; the others still do.
                continue
        return [found[day] for day in sorted(found)]

    def last(self) -> dict[str, Any] | None:
        """Return the newest day; None where there is none."""
        days = self.days()
        return days[-1] if days else None
