"""Taking up what was published over the settings file, while requests go on."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from features.store.dialect import StoreError
from features.store.published import newest_number, newest_settings
from nba.actions import Catalogue
from nba.published import in_force, with_file_as_it_is
from serving.profile import warm_up
from serving.service import Service

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from features.store.reading import Reading
    from nba.settings import Settings

LOOK_SECONDS = 2.0

log = logging.getLogger("nba.serving")


def settings_at_start(settings: Settings, store: Reading) -> Settings:
    """Return the settings with what was published; the file alone while the store is away, until the first look."""
    try:
        return in_force(settings, newest_settings(store))
    except StoreError:
        return settings


async def take_up(app: Starlette) -> bool:
    """Take up what was published last, where it is not in force yet; says whether it was.

    What is made ready is made ready beside the loop. The change is that of one reference, so that no request sees a
    part of either.

    Raises
    ------
    StoreError
        Where the store cannot be read.
    """
    service: Service = app.state.service
    # Asked before the number: what is read of a file that takes its place meanwhile is looked at once more.
    generation = service.store.generation
    number = await asyncio.to_thread(newest_number, service.store)
    if (generation, number) == _taken_up(service):
        return False
    found, catalogue = await asyncio.to_thread(_made_ready, service)
    now: Service = app.state.service
    # Whoever else took up something newer meanwhile is right; another file may well have a lower number in force.
    if now.settings is not service.settings and (generation, found.source.number) < _taken_up(now):
        return False
    app.state.service = replace(now, settings=found, catalogue=catalogue, generation=generation)
    log.info("version %d of the settings is in force", found.source.number)
    for sentence in found.source.left_aside:
        log.warning("what was published does not fit the settings file any more and is left aside: %s", sentence)
    return True


async def watch(app: Starlette, every: float = LOOK_SECONDS) -> None:
    """Look again and again, until cancelled."""
    while True:
        await asyncio.sleep(every)
        try:
            await take_up(app)
        except StoreError as error:
            log.debug("whether settings were published cannot be seen: %s", error)
        except Exception:
            # Whatever is wrong with it, what is in force stays so.
            log.exception("what was published cannot be taken up")


def _taken_up(service: Service) -> tuple[int, int]:
    return service.generation, service.settings.source.number


def _made_ready(service: Service) -> tuple[Settings, Catalogue]:
    settings = in_force(with_file_as_it_is(service.settings), newest_settings(service.store))
    catalogue = Catalogue.of(settings)
    warm_up(catalogue, service.now_us())
    return settings, catalogue
