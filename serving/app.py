"""The application: what is opened at its start, which routes it has, and which error becomes which answer."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from features.store.patience import Patience
from features.store.place import place_of
from features.store.store import Store, StoreAwayError
from nba import ranking
from nba.actions import Catalogue
from nba.door import now_us
from nba.occasions import occasions
from nba.settings import Settings
from nba.tables.memory import tables_of
from serving.acts import Acts
from serving.api import (
    accounts,
    contacts,
    events,
    exports,
    feedback,
    health,
    index,
    metrics,
    model,
    privacy,
    recommend,
    self_service,
    touchpoints,
    tracking,
    webhooks,
    worklist,
)
from serving.application import Application
from serving.background import begun_again
from serving.buckets import SharedBuckets
from serving.bundles import Bundles
from serving.catalogues import read_catalogues
from serving.comparing import forgetting
from serving.counting import counting
from serving.dashboard.dashboard import dashboard
from serving.deed import key_of
from serving.deeds import deed_of
from serving.door import Door, Locks
from serving.garbage import looked_for_seldom
from serving.in_force import settings_at_start, watch
from serving.journal.journal import FOLDER, Journal, room_of
from serving.journal.stores import folder_of, kept_for_others
from serving.keys import Keys
from serving.limits import Limits
from serving.metrics import SHARED, Metrics
from serving.oidc import read_issuer
from serving.operations import Operation
from serving.places import Places
from serving.problems import HANDLED, on_problem
from serving.profile import warm_up
from serving.rates import Rates
from serving.refreshing import refreshing
from serving.refusals import Refusals
from serving.remembered_keys import RememberedKeys
from serving.replay import Replay
from serving.secret import read_secret
from serving.service import Service
from serving.sync_child import SyncChild, SyncPlan
from serving.tracing import traces
from serving.turned_away import TurnedAway
from serving.upkeep import Upkeep
from serving.watching import Tracing, Watched
from serving.writer import LONGEST_WAIT, Writer

_LONGEST_READ = 1.0
"""Seconds that an answer of the store's server may hold up everybody else; it is not asked again before it is back."""
_SECONDS_TO_REPLAY = 10.0

log = logging.getLogger("nba.serving")

OPERATIONS: tuple[Operation, ...] = (
    *recommend.OPERATIONS,
    *feedback.OPERATIONS,
    *touchpoints.OPERATIONS,
    *tracking.OPERATIONS,
    *events.OPERATIONS,
    *webhooks.OPERATIONS,
    *contacts.OPERATIONS,
    *accounts.OPERATIONS,
    *worklist.OPERATIONS,
    *exports.OPERATIONS,
    *privacy.OPERATIONS,
    *self_service.OPERATIONS,
    *model.OPERATIONS,
    *health.OPERATIONS,
    *metrics.OPERATIONS,
)


def create_app(
    settings: Settings,
    *,
    sync_seconds: float | None = None,
    clock: Callable[[], int] = now_us,
    daily: Upkeep | None = None,
    is_elsewhere: bool = False,
    worker: int = 0,
) -> FastAPI:
    """Build the application; nothing is opened before its lifespan begins.

    Parameters
    ----------
    settings
        The whole of ``nba.toml``.
    sync_seconds
        How often a child process asks MLflow for the champion; None: local bundles only.
    clock
        The present moment in microseconds.
    daily
        Reports once a day how what serves compares; None: nothing does.
    is_elsewhere
        Whether other machines can call: then it asks for a key even where none was ever made.
    worker
        Its number among the processes that share an address.

    Raises
    ------
    StoreError, SecretError
        From the lifespan, where the store or the secret cannot be opened; a store that is away for now is waited for.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            _trace(tracing, stack)
            service = await _open(
                settings,
                sync_seconds,
                clock,
                stack,
                metrics=metrics,
                worker=worker,
                keys=keys,
                now_in_force=now_in_force,
            )
            app.state.service = service
            acts = Acts(service.store, service.recent, lambda: service.writer.keeps)
            _in_background("the look for published settings", partial(watch, app), stack)
            _in_background("the look at what others did about people", acts.watch, stack)
            _in_background("the removal of old comparisons", partial(forgetting, settings.folder), stack)
            app.state.limits = refusals.limits = Limits(metrics, service.ticks, held_up=service.writer.held_up)
            _in_background("the reading of keys", partial(keys.watch, service.store), stack)
            if daily is not None:
                _in_background("the daily upkeep", daily.run, stack)
                _in_background("the upkeep of views", refreshing(daily.config, service.store, clock).run, stack)
                _in_background("the upkeep of counts", counting(daily.config, settings.folder, clock).run, stack)
            stack.enter_context(looked_for_seldom())
            yield

    def now_in_force() -> Settings:
        service = getattr(app.state, "service", None)
        return service.settings if isinstance(service, Service) else settings

    def layers(inner: ASGIApp) -> ASGIApp:
        locks = Locks(keys, Places(operations, pages.addresses), is_elsewhere, issuer)
        return TurnedAway(Watched(Door(inner, locks, _rates()), metrics, tracing), refusals)

    issuer, metrics, tracing = read_issuer(os.environ), Metrics(), Tracing()
    keys = Keys(now_us, has_tokens=issuer is not None)
    operations = (*OPERATIONS, *index.operations(OPERATIONS, _version()))
    pages = dashboard(keys)
    refusals = Refusals(operations, metrics)
    app = Application(lifespan, layers)
    app.state.refusals = refusals
    for operation in operations:
        app.router.routes.append(operation.route(operations))
    app.router.routes.extend(pages.routes)
    for error in HANDLED:
        app.add_exception_handler(error, on_problem)
    return app


async def _open(
    settings: Settings,
    sync_seconds: float | None,
    clock: Callable[[], int],
    stack: AsyncExitStack,
    *,
    metrics: Metrics,
    worker: int,
    keys: Keys,
    now_in_force: Callable[[], Settings],
) -> Service:
    """Open every part; the stack closes them in the reverse order."""
    secret = read_secret(settings.folder, os.environ)
    store = stack.enter_context(Store.open(settings.store.url, Patience(LONGEST_WAIT), may_be_away=True))
    keys.begin(store, RememberedKeys(settings.folder, secret, settings.store.url))
    store.patience.bound(_LONGEST_READ)
    journal = _journal(settings, clock)
    replay = Replay(store, journal, lambda record: deed_of(record, now_in_force()), metrics, clock)
    writer = Writer(store, metrics, replay)
    writer.open()
    stack.callback(writer.close)
    # What was kept by processes before this one is stored before anybody is answered, where that is soon done.
    await replay.emptied(_SECONDS_TO_REPLAY)
    settings = settings_at_start(settings, store)
    bundles, catalogue = Bundles(settings.folder, metrics), Catalogue.of(settings)
    now = clock()
    # Now, or as soon as the store is there, and not while the first request waits.
    try:
        await asyncio.to_thread(tables_of, store, now)
    except StoreAwayError:
        _in_background("the reading of catalogues", partial(read_catalogues, store, clock), stack)
    await asyncio.gather(asyncio.to_thread(warm_up, catalogue, now), bundles.look())
    await asyncio.to_thread(ranking.warm_up)
    await asyncio.to_thread(occasions.warm_up)
    sync = None if sync_seconds is None else SyncChild(_plan(settings, sync_seconds))
    _in_background("the look for new bundles", bundles.watch, stack)
    if sync is not None:
        _in_background("the fetching of bundles", sync.run, stack)
    return Service(
        settings,
        catalogue,
        store,
        writer,
        bundles,
        secret,
        clock,
        sync=sync,
        metrics=metrics,
        worker=worker,
        keys=keys,
    )


def _journal(settings: Settings, clock: Callable[[], int]) -> Journal:
    """Return the store's own journal, with what versions left that had one for all stores."""
    every = settings.folder / FOLDER
    own = folder_of(every, place_of(settings.store.url))
    for others in kept_for_others(own):
        log.warning("%s", others)
    return Journal(own, key_of, room_of(os.environ), clock, unbound=every)


def _rates() -> Rates:
    """Count calls of a key together with the other workers, where there are any."""
    folder = os.environ.get(SHARED)
    return Rates(buckets=None if folder is None else SharedBuckets(Path(folder) / "rates"))


def _trace(tracing: Tracing, stack: AsyncExitStack) -> None:
    tracing.traces = found = traces(os.environ)
    if found is not None:
        stack.callback(found.close)


def _plan(settings: Settings, seconds: float) -> SyncPlan:
    mlflow = settings.mlflow
    return SyncPlan(settings.folder, mlflow.tracking_uri, mlflow.model, mlflow.artifacts, seconds)


def _in_background(name: str, work: Callable[[], Coroutine[Any, Any, None]], stack: AsyncExitStack) -> None:
    task = asyncio.create_task(begun_again(name, work))

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)


def _version() -> str:
    try:
        return version("nba-service")
    except PackageNotFoundError:
        return "0"
