"""What is known of the champion and of the challenger: as the registry told it last, else as the bundle tells it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.kept import Kept
from models.local import COUNTS, FOLDER, STANDING


def standing_in(folder: Path) -> Mapping[str, Any]:
    """Return ``champion`` and ``challenger``; None for what nobody told, as where no registry has ever answered."""
    found = _kept(folder / FOLDER / STANDING).read() or {}
    return {name: found.get(name) for name in ("champion", "challenger")}


def counts_in(folder: Path) -> Mapping[str, Any] | None:
    """Return what `nba evaluate counts` kept last; None where it never has."""
    return _kept(folder / COUNTS).read()


@lru_cache(maxsize=8)
def _kept(path: Path) -> Kept:
    return Kept(path)
