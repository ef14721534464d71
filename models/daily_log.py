"""What is written once a day about what serves, a line a day in a file beside ``nba.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.line_log import add_lines, read_lines

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
        return add_lines(self.path, [report])

    def days(self) -> list[dict[str, Any]]:
        """Return every day that can be read, the oldest first; of one day what was written last."""
        found = {str(told["day"]): told for told in read_lines(self.path) if "day" in told}
        return [found[day] for day in sorted(found)]

    def last(self) -> dict[str, Any] | None:
        """Return the newest day; None where there is none."""
        days = self.days()
        return days[-1] if days else None
