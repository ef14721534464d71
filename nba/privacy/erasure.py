"""Erasure: everything about a person goes, and what is sent again is refused.

In this order, so that a stop in between loses nothing and the same command finishes: tombstones, which let nothing
more in; the lakes; the rows of the store; at last the bytes that the database's files still hold of them. The links
between the identities go with the rows, so until then the person can still be found as a whole.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from features.errors import UserError
from features.store import erasing
from features.store.store import Store
from nba.privacy.person import Person, check_reason
from nba.privacy.trail import noted

_ATTEMPTS = 60
_SECONDS = 1.0
_SHORTEST = 6
_OTHERS = (
    "refused rows and feedback that others brought may still name the person; this key cannot look through them, a key "
    "of the whole house can: ask for it to erase the same identity again"
)


@dataclass(frozen=True)
class Erasure:
    """What went, by kind; ``notes`` are sentences about what an owner has to know or do besides.

    ``files`` are those of the owner that still name the person.
    """

    removed: Mapping[str, int]
    notes: Sequence[str] = ()
    files: Sequence[Path] = ()

    def sentences(self, spelt: Callable[[Path], str] = str) -> list[str]:
        """Return the notes, with one for each file; ``spelt`` says how a file is called."""
        rule = "still names the person and is not ours to change; delete it, or make it anew"
        return [*self.notes, *(f"{spelt(path)} {rule}" for path in self.files)]


def erase(
    store: Store,
    person: Person,
    *,
    reason: str,
    by: str,
    now: int,
    folder: Path | None,
    own: Callable[[str], bool] | None = None,
) -> Erasure:
    """Erase a person.

    Parameters
    ----------
    now
        Microseconds.
    folder
        Of ``nba.toml``: files in it and below that still name the person are told. None: for whoever has no business
        there, since what a file is found by would tell what it holds.
    own
        For whoever sees some contacts only: whether a name was given by this side. What is nobody's contact and was
        brought by others stays. None: for whoever sees everybody.

    Raises
    ------
    UserError
        Where the reason is missing or names the person.
    LakeError
        Where a lake of the store is not there or cannot be written to; what is left goes when it is done again.
    StoreError
        Where the store would not take it.
    """
    why = check_reason(reason, person)
    _close_the_door(store, person, why, by, now)
    in_lakes = sum(_erased_in_lake(Path(lake), person.identities) for lake in store.lakes())
    with store.writing() as writing:
        removed = erasing.erase(writing, person.identities, person.words, now, own)
        removed["touchpoints"] += in_lakes
        noted(writing, person, "erasure", reason=why, by=by, at=now, details={"removed": removed})
    stays = store.scrub()
    named = [] if folder is None else naming_files(folder, {*person.identities, *person.words})
    notes = [] if stays is None else [stays]
    notes += [] if own is None else [_OTHERS]
    return Erasure(removed, notes, named)


def _close_the_door(store: Store, person: Person, reason: str, by: str, now: int) -> None:
    """Put up the tombstones, when no load is being stored: its rows could not be seen yet."""
    for _ in range(_ATTEMPTS):
        with store.writing() as writing:
            if writing.may_pack:
                erasing.bury(writing, (*person.identities, person.asked), now)
                noted(writing, person, "erasure begun", reason=reason, by=by, at=now)
                return
        time.sleep(_SECONDS)
    raise UserError("a load is being stored at the moment, and its rows cannot be seen yet; erase when it is done")


def _erased_in_lake(folder: Path, identities: Sequence[str]) -> int:
    try:
        from features.lake import erasing as lake_erasing
        from features.lake.manifest import LakeError
    except ImportError as error:
        raise UserError(
            "the store has a lake, and to write it anew needs pyarrow; `pip install nba-service[training]` brings it"
        ) from error
    if not folder.is_dir():
        raise LakeError(f"the lake {folder} is not there; mount it, or restore the folder, and erase again")
    return lake_erasing.erase(folder, identities)


def naming_files(folder: Path, words: Collection[str]) -> list[Path]:
    """Return the files in a folder and below in which one of these words stands, as its bytes.

    Short words are met by chance in any file and not looked for; what is packed (Parquet, gzip) hides them. Hidden
    files are left alone: keys and passwords lie there, and who may choose a name could find out how they begin.
    """
    wanted = [word.encode() for word in words if len(word) >= _SHORTEST]
    return [path for path in _files(folder) if wanted and _holds(path, wanted)]


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(root) / name
            # The store's own files were seen to before.
            if path.is_file() and not name.partition("-")[0].endswith(".db"):
                yield path


def _holds(path: Path, wanted: Sequence[bytes]) -> bool:
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(content.find(word) >= 0 for word in wanted)
    except (OSError, ValueError):
        # A file that is empty or gone by now, or that cannot be read, holds nothing that could be told.
        return False
