"""What every handler needs, opened once: settings, store, writer, bundle, secret, clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from features.store.store import Store
from nba.actions import Catalogue
from nba.settings import Settings
from serving.bundles import Bundles
from serving.kept_rows import KeptRows
from serving.keys import Keys
from serving.metrics import Metrics
from serving.recent import Recent
from serving.sync_child import SyncChild
from serving.writer import Writer


@dataclass(frozen=True)
class Service:
    """The open parts of a running service.

    ``secret`` seeds the draws; ``now_us`` is the only clock behind the door; ``sync`` is None where no child
    fetches bundles.
    """

    settings: Settings
    catalogue: Catalogue
    store: Store
    writer: Writer
    bundles: Bundles
    secret: bytes
    now_us: Callable[[], int]
    ticks: Callable[[], float] = time.monotonic
    """Seconds since some moment, for deadlines."""
    sync: SyncChild | None = None
    metrics: Metrics = field(default_factory=Metrics)
    recent: Recent = field(default_factory=Recent)
    kept_rows: KeptRows = field(default_factory=KeptRows)
    keys: Keys | None = None
    generation: int = 0
    """``Store.generation`` when the settings were taken up."""
    worker: int = 0
    """Its number among the processes that share an address; the first one also does what is done once."""


def service_of(request: Request) -> Service:
    """Return the service that a request came to."""
    service = request.app.state.service
    if not isinstance(service, Service):
        raise TypeError("the application has not been started; run it with its lifespan")
    return service
