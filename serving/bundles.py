"""The bundle that serves, swapped for a newer one while requests go on."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from features.errors import UserError
from features.times import iso
from models.belief import Belief
from models.bundle import BundleError, UndecidedError
from models.local import FOLDER, local_champion, read_champion
from models.verify import verify
from nba.door import now_us
from serving.invented import estimate_once
from serving.metrics import Metrics
from serving.tries import Tries

LOOK_SECONDS = 0.5
POINTER = "champion.json"
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0
"""Seconds until a bundle of which nothing could be found out is tried again. That may take a processor for a minute."""

log = logging.getLogger("nba.serving")


class Bundles:
    """Holds one belief; a swap is the change of one reference, so no request sees two.

    Parameters
    ----------
    folder
        Where ``nba.toml`` lies; bundles are installed beside it.
    metrics
        Where swaps and refusals are counted.
    """

    def __init__(self, folder: Path, metrics: Metrics | None = None) -> None:
        self._folder = folder
        self._metrics = metrics or Metrics()
        self._seen: tuple[str, str, int] | None = None
        self._tries = Tries(FIRST_PAUSE, LONGEST_PAUSE)
        self._since: int | None = None
        self._refused: str | None = None
        self.current: Belief | None = None

    async def look(self) -> None:
        """Take the champion if it is another one than at the last look; keep what serves if it is no good.

        What was found no good is not looked at again. What failed otherwise may have lacked something for a moment, and
        is tried again after a pause, which grows.
        """
        named = self._named()
        if named is None or named == self._seen or self._tries.must_wait(named):
            return
        try:
            belief = await asyncio.to_thread(_load, self._folder)
        except UndecidedError as error:
            self._put_off(named, str(error))
        except UserError as error:
            self._seen = named
            self._refuse(str(error))
        except Exception as error:
            # Whatever is wrong with a bundle, the one that serves goes on serving.
            self._put_off(named, f"the bundle cannot be loaded: {type(error).__name__}: {error}")
        else:
            self._seen = named
            self._take(belief)

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    def report(self) -> dict[str, Any]:
        """Say what serves, since when, and what was refused last."""
        belief = self.current
        return {
            "version": belief.version if belief else None,
            "sha256": belief.sha256 if belief else None,
            "serves": belief.serves if belief else "points",
            "since": iso(self._since) if self._since is not None else None,
            "refused": self._refused,
        }

    def _named(self) -> tuple[str, str, int] | None:
        """Version, hash and time of the champion: one that is put there again is looked at again."""
        try:
            written = (self._folder / FOLDER / POINTER).stat().st_mtime_ns
        except OSError:
            return None
        named = read_champion(self._folder)
        return None if named is None else (*named, written)

    def _take(self, belief: Belief) -> None:
        self.current = belief
        self._since = now_us()
        self._refused = None
        self._metrics.swapped(belief.version, belief.serves)
        log.info("bundle %s (%s) serves now", belief.version, belief.sha256[:12])

    def _put_off(self, named: tuple[str, str, int], why: str) -> None:
        self._refuse(f"{why} (tried again in {self._tries.failed(named):.0f} s)")

    def _refuse(self, why: str) -> None:
        self._refused = why
        self._metrics.bundle_refused()
        log.error("bundle refused, the one before goes on serving: %s", why)


def _load(folder: Path) -> Belief:
    found = local_champion(folder)
    if found is None:
        raise BundleError(f"the champion named in {folder / FOLDER} is not there; install or train it again")
    path, version = found
    # A damaged model can end the process that reads it, so another process reads it first.
    verify(path)
    belief = Belief.load(path, version)
    # What it compiles, imports or looks up at first use is ready before it serves, at a swap as at the start.
    estimate_once(belief, now_us())
    return belief
