"""A file to which a line of JSON is added now and then, read by people and programs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def add_lines(path: Path, told: Iterable[Mapping[str, Any]]) -> bool:
    """Add lines; says whether the folder let it.

    One write to a file opened for appending: two processes at a time do not mix their lines.
    """
    text = "".join(json.dumps(each, allow_nan=False, sort_keys=True) + "\n" for each in told)
    try:
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(opened, text.encode())
        finally:
            os.close(opened)
    except OSError:
        return False
    return True


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return every line that is an object; nothing where there is no file.

    A line that was cut off when a machine went down says nothing; the others still do.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    found = []
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            found.append(told)
    return found
