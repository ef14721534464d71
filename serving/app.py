"""The application: what is opened at its start, which routes it has, and which error becomes which answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI

from features.store.patience import Patience
from features.store.store import Store
from nba import ranking
from nba.actions import Catalogue
from nba.door import now_us
from nba.settings import Settings
from nba.tables.memory import tables_of
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
from serving.bundles import Bundles
from serving.daily import Daily
from serving.deed import key_of
from serving.deeds import deed_of
from serving.door import Door, Locks
from serving.journal.journal import FOLDER, Journal, room_of
from serving.keys import Keys
from serving.limits import Limits
from serving.metrics import Metrics
from serving.oidc import read_issuer
from serving.operations import Operation
from serving.places import Places
from serving.problems import HANDLED, on_problem
from serving.profile import warm_up
from serving.replay import Replay
from serving.secret import read_secret
from serving.service import Service
from serving.sync_child import SyncChild, SyncPlan
from serving.tracing import traces
from serving.watching import Tracing, Watched
from serving.writer import LONGEST_WAIT, Writer

_LONGEST_READ = 1.0
"""Seconds that an answer of the store's server may hold up everybody else; it is not asked again before it is back."""
_SECONDS_TO_REPLAY = 10.0

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
    daily: Daily | None = None,
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
        From the lifespan, where the store or the secret cannot be opened.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            _trace(tracing, stack)
            service = await _open(settings, sync_seconds, clock, stack, metrics=metrics, worker=worker)
            app.state.service = service
            app.state.limits = Limits(metrics, service.ticks)
            keys.read(service.store)
            _in_background(keys.watch(service.store), stack)
            if daily is not None:
                _in_background(daily.run(), stack)
            yield

    keys, metrics, tracing = Keys(now_us), Metrics(), Tracing()
    # Pages of documentation are only for those who ask; the documents themselves are routes of ours.
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
    operations = (*OPERATIONS, *index.operations(OPERATIONS, _version()))
    for operation in operations:
        app.router.routes.append(operation.route(each.path for each in operations))
    for error in HANDLED:
        app.add_exception_handler(error, on_problem)
    app.add_middleware(Door, locks=Locks(keys, Places(operations), is_elsewhere, read_issuer(os.environ)))
    # The last one added sees a request first.
    app.add_middleware(Watched, metrics=metrics, tracing=tracing)
    return app


async def _open(
    settings: Settings,
    sync_seconds: float | None,
    clock: Callable[[], int],
    stack: AsyncExitStack,
    *,
    metrics: Metrics,
    worker: int,
) -> Service:
    """Open every part; the stack closes them in the reverse order."""
    secret = read_secret(settings.folder, os.environ)
    store = stack.enter_context(Store.open(settings.store.url, Patience(LONGEST_WAIT)))
    store.patience.bound(_LONGEST_READ)
    journal = Journal(settings.folder / FOLDER, key_of, room_of(os.environ), clock)
    replay = Replay(store, journal, partial(deed_of, settings=settings), metrics, clock)
    writer = Writer(store, metrics, replay)
    writer.open()
    stack.callback(writer.close)
    # What was kept by processes before this one is stored before anybody is answered, where that is soon done.
    await replay.emptied(_SECONDS_TO_REPLAY)
    bundles = Bundles(settings.folder, metrics)
    now = clock()
    # The catalogues are read now and not while the first request waits.
    await asyncio.gather(asyncio.to_thread(warm_up, now), asyncio.to_thread(tables_of, store, now), bundles.look())
    await asyncio.to_thread(ranking.warm_up)
    sync = None if sync_seconds is None else SyncChild(_plan(settings, sync_seconds))
    _in_background(bundles.watch(), stack)
    if sync is not None:
        _in_background(sync.run(), stack)
    return Service(
        settings,
        Catalogue.of(settings),
        store,
        writer,
        bundles,
        secret,
        clock,
        sync=sync,
        metrics=metrics,
        worker=worker,
    )


def _trace(tracing: Tracing, stack: AsyncExitStack) -> None:
    tracing.traces = found = traces(os.environ)
    if found is not None:
        stack.callback(found.close)


def _plan(settings: Settings, seconds: float) -> SyncPlan:
    mlflow = settings.mlflow
    return SyncPlan(settings.folder, mlflow.tracking_uri, mlflow.model, mlflow.artifacts, seconds)


def _in_background(work: Coroutine[Any, Any, None], stack: AsyncExitStack) -> None:
    task = asyncio.create_task(work)

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)


def _version() -> str:
    try:
        return version("nba-service")
    except PackageNotFoundError:
        return "0"
