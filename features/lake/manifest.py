"""What a lake is made of at one moment: its manifest, its lock, and the swap from one state to the next."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from features.durable import sync
from features.errors import UserError

try:
    import fcntl
except ImportError:  # Windows has no such lock; two loads into one lake at once are then the user's to avoid
    fcntl = None  # type: ignore[assignment] # not on Windows

SCHEMA = 1
MANIFEST = "manifest.json"
STAGING = ".staging"
KEYS = "keys"
_LOCK = ".lock"


class LakeError(UserError):
    """A lake that cannot be read or written, with the reason."""


@dataclass(frozen=True)
class Part:
    """One Parquet file: its path within the lake, its rows, and its first and last time in microseconds."""

    path: str
    rows: int
    first: int
    last: int


@dataclass(frozen=True)
class Manifest:
    """The files that count; whatever else lies in the folder does not.

    ``parts`` are in the order of their partition and, within one, of their arrival; ``keys`` are the files that
    know every (source, touchpoint_id) there ever was.
    """

    partitions: int
    version: int = 0
    parts: Mapping[int, tuple[Part, ...]] = field(default_factory=dict)
    keys: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many touchpoints there are."""
        return sum(part.rows for parts in self.parts.values() for part in parts)

    def files(self) -> list[str]:
        """Paths of all Parquet files within the lake."""
        return [part.path for partition in sorted(self.parts) for part in self.parts[partition]]

    def to_json(self) -> str:
        """Text of the manifest's file."""
        parts = {str(p): [asdict(part) for part in self.parts[p]] for p in sorted(self.parts)}
        plain = {
            "schema": SCHEMA,
            "partitions": self.partitions,
            "version": self.version,
            "rows": self.rows,
            "parts": parts,
            "keys": list(self.keys),
        }
        return json.dumps(plain, indent=1) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a lake's manifest.

        Raises
        ------
        LakeError
            Where the folder is no lake, or one of a newer version.
        """
        try:
            found = (folder / MANIFEST).stat()
            return _read(folder, found.st_ino, found.st_mtime_ns, found.st_size)
        except FileNotFoundError:
            raise LakeError(
                f"{folder} is no lake: it has no {MANIFEST}; `nba load touchpoints FILE --lake {folder}` makes one"
            ) from None
        except OSError as error:
            raise LakeError(f"the lake {folder} cannot be read: {error.strerror}") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LakeError(f"{folder / MANIFEST} is not the manifest of a lake ({error}); restore it") from error

    @classmethod
    def _of(cls, plain: Mapping[str, Any]) -> Manifest:
        return cls(
            partitions=int(plain["partitions"]),
            version=int(plain["version"]),
            parts={int(p): tuple(Part(**part) for part in parts) for p, parts in plain["parts"].items()},
            keys=tuple(plain["keys"]),
        )


@lru_cache(maxsize=16)
def _read(folder: Path, *_: int) -> Manifest:
    """Read a manifest once for each state of its file: every swap gives it another inode."""
    plain = json.loads((folder / MANIFEST).read_bytes())
    if plain["schema"] > SCHEMA:
        raise LakeError(f"the lake {folder} was made by a newer nba; upgrade nba to read it")
    return Manifest._of(plain)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait until nobody else writes to the lake; the lock ends with the process, however that ends."""
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise LakeError(f"the lake {folder} cannot be written to: {error.strerror}; check its permissions") from error
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def swap(folder: Path, manifest: Manifest, staged: Mapping[str, Path]) -> None:
    """Put staged files in their places and let the new manifest count, all of it or nothing.

    Parameters
    ----------
    staged
        Path within the lake to the file as it was written beside.
    """
    directories = {folder}
    for path in staged.values():
        sync(path)
    for name, path in staged.items():
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        path.replace(target)
        directories.add(target.parent)
    for directory in directories:
        sync(directory)
    write_manifest(folder, manifest)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Let a manifest count from now on."""
    part = folder / f".{MANIFEST}.part"
    part.write_text(manifest.to_json(), encoding="utf-8")
    sync(part)
    part.replace(folder / MANIFEST)
    sync(folder)


def clean(folder: Path, manifest: Manifest) -> None:
    """Take away what a killed load left behind, and what a compaction has replaced."""
    shutil.rmtree(folder / STAGING, ignore_errors=True)
    counted = {*manifest.files(), *manifest.keys}
    for pattern in ("partition=*/*.parquet", f"{KEYS}/*"):
        for path in folder.glob(pattern):
            if path.relative_to(folder).as_posix() not in counted:
                path.unlink(missing_ok=True)
