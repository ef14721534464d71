"""The application: what is opened at its start, which routes it has, and which error becomes which answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI

from features.store.store import Store
from nba import ranking
from nba.actions import Catalogue
from nba.door import now_us
from nba.settings import Settings
from nba.tables.memory import tables_of
from serving.api import contacts, feedback, health, index, model, recommend, touchpoints
from serving.bundles import Bundles
from serving.daily import Daily
from serving.loopback import LoopbackOnly
from serving.operations import Operation
from serving.problems import HANDLED, on_problem
from serving.profile import warm_up
from serving.secret import read_secret
from serving.service import Service
from serving.sync_child import SyncChild, SyncPlan
from serving.writer import Writer

OPERATIONS: tuple[Operation, ...] = (
    *recommend.OPERATIONS,
    *feedback.OPERATIONS,
    *touchpoints.OPERATIONS,
    *contacts.OPERATIONS,
    *model.OPERATIONS,
    *health.OPERATIONS,
)


def create_app(
    settings: Settings,
    *,
    sync_seconds: float | None = None,
    clock: Callable[[], int] = now_us,
    daily: Daily | None = None,
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

    Raises
    ------
    StoreError, SecretError
        From the lifespan, where the store or the secret cannot be opened.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.service = await _open(settings, sync_seconds, clock, stack)
            if daily is not None:
                _in_background(daily.run(), stack)
            yield

    # Pages of documentation are only for those who ask; the documents themselves are routes of ours.
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
    for operation in (*OPERATIONS, *index.operations(OPERATIONS, _version())):
        app.router.routes.append(operation.route())
    for error in HANDLED:
        app.add_exception_handler(error, on_problem)
    app.add_middleware(LoopbackOnly)
    return app


async def _open(
    settings: Settings, sync_seconds: float | None, clock: Callable[[], int], stack: AsyncExitStack
) -> Service:
    """Open every part; the stack closes them in the reverse order."""
    secret = read_secret(settings.folder, os.environ)
    store = stack.enter_context(Store.open(settings.store.url))
    writer = Writer(store)
    writer.open()
    stack.callback(writer.close)
    bundles = Bundles(settings.folder)
    now = clock()
    # The catalogues are read now and not while the first request waits.
    await asyncio.gather(asyncio.to_thread(warm_up, now), asyncio.to_thread(tables_of, store, now), bundles.look())
    await asyncio.to_thread(ranking.warm_up)
    sync = None if sync_seconds is None else SyncChild(_plan(settings, sync_seconds))
    _in_background(bundles.watch(), stack)
    if sync is not None:
        _in_background(sync.run(), stack)
    return Service(settings, Catalogue.of(settings), store, writer, bundles, secret, clock, sync=sync)


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
