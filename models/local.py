"""The bundles on this machine: which one is the champion, and putting another in its place at once or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from features.durable import sync

FOLDER = "bundles"
STANDING = "standing.json"
"""What the registry was last known to say of champion and challenger, beside the bundles."""
COUNTS = "counts.json"
"""What ``nba evaluate counts`` counted last, beside ``nba.toml``."""
_CHAMPION = "champion.json"


def local_champion(folder: Path) -> tuple[Path, str] | None:
    """Folder and version of the bundle that serves here; None where there is none.

    Parameters
    ----------
    folder
        Where ``nba.toml`` lies.
    """
    named = read_champion(folder)
    if named is None:
        return None
    path = folder / FOLDER / named[1]
    return (path, named[0]) if path.is_dir() else None


def read_champion(folder: Path) -> tuple[str, str] | None:
    """Version and SHA-256 of the champion's manifest, as last installed."""
    try:
        named = json.loads((folder / FOLDER / _CHAMPION).read_text())
        return str(named["version"]), str(named["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def install(folder: Path, bundle: Path, version: str, sha256: str) -> Path:
    """Copy a verified bundle here and make it the champion; readers see the old one or the new one, whole.

    Parameters
    ----------
    folder
        Where ``nba.toml`` lies.
    bundle
        The bundle's folder, anywhere.
    version, sha256
        Of the registry, and of the manifest.
    """
    room = folder / FOLDER
    room.mkdir(parents=True, exist_ok=True)
    place = room / sha256
    if not place.is_dir():
        arriving = Path(tempfile.mkdtemp(prefix=".arriving-", dir=room))
        try:
            shutil.copytree(bundle, arriving / "bundle")
            _sync_tree(arriving / "bundle")
            try:
                os.rename(arriving / "bundle", place)
            except OSError:
                if not place.is_dir():
                    raise  # another process installed the same bundle in between: its copy is as good
        finally:
            shutil.rmtree(arriving, ignore_errors=True)
    _name_champion(room, version, sha256)
    return place


def _name_champion(room: Path, version: str, sha256: str) -> None:
    handle, name = tempfile.mkstemp(prefix=".champion-", dir=room)
    with os.fdopen(handle, "w") as file:
        json.dump({"version": version, "sha256": sha256}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, room / _CHAMPION)
    sync(room)


def _sync_tree(root: Path) -> None:
    for path in [*root.rglob("*"), root]:
        sync(path)
