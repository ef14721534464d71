"""A folder of the journal for each store, so that what was acknowledged for one never gets into another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from serving.journal.segment import left_behind

_MOST_LETTERS = 40
_NO_LETTERS = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Others:
    """What is kept for another store: its folder, how many files lie there, and how large they are."""

    folder: Path
    files: int
    bytes: int

    def __str__(self) -> str:
        """Say what it is and what to do with it."""
        above = self.folder.parent.name
        return (
            f"{above}/{self.folder.name} holds {self.files:,} files ({self.bytes:,} bytes) that were acknowledged for "
            "another store, and this one does not get them; start once with that store's store.url, or move them up "
            f"into {above}/ where it is this store under another name"
        )


def folder_of(journal: Path, place: str) -> Path:
    """Return the folder of a store, which need not be there.

    Parameters
    ----------
    journal
        The folder of the whole journal.
    place
        Where the store lies.

    Examples
    --------
    >>> folder_of(Path("journal"), "sqlite:////srv/nba.db").name
    'nba.db-27c585f57025444f'
    """
    # Whoever looks for a person's name in files passes by folders that begin with a dot.
    name = _NO_LETTERS.sub("_", place.rpartition("/")[2])[:_MOST_LETTERS].lstrip(".")
    return journal / f"{name}-{sha256(place.encode(errors='surrogateescape')).hexdigest()[:16]}"


def kept_for_others(own: Path) -> list[Others]:
    """Look at what lies beside the folder of one store for others."""
    found = []
    for folder in sorted(own.parent.glob("*/")):
        sizes = [_size(path) for path in left_behind(folder)] if folder != own else []
        if sizes:
            found.append(Others(folder, len(sizes), sum(sizes)))
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
