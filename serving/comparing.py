"""What a draft would change, worked out by `nba whatif` in a child process and kept in files for every worker to read.

The files name contacts, so that they go after a day. One comparison is made at a time: it takes a processor for long.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from features.times import iso
from serving.child import nba_beside

FOLDER = "whatif"
"""Beside ``nba.toml``."""
_KEPT = 86_400.0
_LIVES = 20.0
"""Seconds after its last sign of life that a comparison counts as one that nobody makes any more."""
_SIGN = 5.0
_LETTERS = 24
_NUMBER = re.compile(r": (\d[\d,]*)\s*$", re.MULTILINE)

log = logging.getLogger("nba.serving")
_underway: set[asyncio.Task[None]] = set()


@dataclass(frozen=True)
class Compared:
    """How far a comparison is.

    Attributes
    ----------
    state
        ``none``, ``underway``, ``done`` or ``failed``.
    report
        What `nba whatif --json` told.
    why
        What it said where it failed.
    looked_at
        How many recommendations have been looked at so far.
    """

    state: str = "none"
    report: Mapping[str, Any] | None = None
    why: str = ""
    looked_at: int = 0


def name_of(number: int, values: Mapping[str, Any]) -> str:
    """Return the name of a comparison: the same for the same values over the same version.

    Parameters
    ----------
    number
        Of the version in force.
    values
        By dotted key.
    """
    told = orjson.dumps([number, dict(values)], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(told).hexdigest()[:_LETTERS]


def is_name(text: str) -> bool:
    """Whether text could be the name of a comparison."""
    return len(text) == _LETTERS and set(text) <= set("0123456789abcdef")


def compared(folder: Path, name: str) -> Compared:
    """Return how far a comparison is.

    Parameters
    ----------
    folder
        Where ``nba.toml`` lies.
    """
    room = folder / FOLDER
    try:
        return Compared("done", orjson.loads((room / f"{name}.json").read_bytes()))
    except (OSError, ValueError):
        pass
    if _is_alive(room / f"{name}.begun"):
        return Compared("underway", looked_at=_looked_at(room / f"{name}.said"))
    try:
        return Compared("failed", why=(room / f"{name}.failed").read_text(errors="replace").strip())
    except OSError:
        return Compared()


def contacts_file(folder: Path, name: str) -> Path:
    """Return where the list of contacts of a comparison lies, as CSV."""
    return folder / FOLDER / f"{name}.csv"


def begin(folder: Path, config: Path | None, name: str, assignments: Mapping[str, str], now: int) -> bool:
    """Have a comparison made; false where another one is being made.

    Parameters
    ----------
    config
        The settings file; None: the one that is found by itself.
    assignments
        Values in TOML by dotted key; empty text leaves a key out.
    now
        Up to which moment, in microseconds.
    """
    room = folder / FOLDER
    room.mkdir(mode=0o700, exist_ok=True)
    _forget(room)
    if any(_is_alive(path) for path in room.glob("*.begun")):
        return False
    for suffix in ("json", "failed", "csv"):
        (room / f"{name}.{suffix}").unlink(missing_ok=True)
    (room / f"{name}.begun").touch(mode=0o600)
    sets = [word for key, value in assignments.items() for word in ("--set", f"{key}={value}")]
    command = ("whatif", *sets, "--as-of", iso(now), "--out", str(contacts_file(folder, name)), "--json")
    beside(_compare(room, name, None if config is None else str(config), command))
    return True


async def forgetting(folder: Path, every: float = 3600.0) -> None:
    """Take away what is older than a day, again and again until cancelled: nobody may ever compare again."""
    while True:
        await asyncio.to_thread(_forget, folder / FOLDER)
        await asyncio.sleep(every)


def beside(work: Any) -> None:
    """Do something beside the request that asked for it."""
    task = asyncio.create_task(work)
    _underway.add(task)
    task.add_done_callback(_underway.discard)


async def _compare(room: Path, name: str, config: str | None, command: tuple[str, ...]) -> None:
    begun, part, said = room / f"{name}.begun", room / f"{name}.part", room / f"{name}.said"
    living = asyncio.create_task(_live(begun))
    try:
        with open(part, "wb", opener=_ours) as result, open(said, "wb", opener=_ours) as errors:
            status = await nba_beside(config, *command, result=result, said=errors)
        if status == 0:
            part.replace(room / f"{name}.json")
        else:
            said.replace(room / f"{name}.failed")
            log.warning("what a draft would change could not be worked out (status %s)", status)
    except OSError as error:
        (room / f"{name}.failed").write_text(str(error))
    finally:
        living.cancel()
        for path in (begun, part, said):
            with suppress(OSError):
                path.unlink(missing_ok=True)


async def _live(begun: Path) -> None:
    """Give signs of life."""
    while True:
        await asyncio.sleep(_SIGN)
        with suppress(OSError):
            os.utime(begun)


def _is_alive(begun: Path) -> bool:
    try:
        return time.time() - begun.stat().st_mtime < _LIVES
    except OSError:
        return False


def _looked_at(said: Path) -> int:
    """Return the number that it said last."""
    try:
        found = _NUMBER.findall(said.read_text(errors="replace"))
    except OSError:
        return 0
    return int(found[-1].replace(",", "")) if found else 0


def _forget(room: Path) -> None:
    for path in room.glob("*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _KEPT:
                path.unlink()


def _ours(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
