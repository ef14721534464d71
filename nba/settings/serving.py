"""The service and how work is spread; ``[serving]`` and ``[scale]``."""

from __future__ import annotations

from dataclasses import dataclass

from features.times import SECOND
from nba.settings import values
from nba.settings.table import Table


@dataclass(frozen=True)
class Serving:
    """Where the service listens, and how long an answer may take."""

    host: str = "127.0.0.1"
    port: int = 8000
    deadline_us: int = 150 * SECOND // 1000
    language: str = "en"


@dataclass(frozen=True)
class Scale:
    """The joblib backend that partitions of contacts are spread over."""

    backend: str = "loky"
    partitions: int = 64
    scheduler: str | None = None


def read_serving(table: Table) -> Serving:
    """Read ``[serving]``; port 0 takes any free one."""
    serving = Serving(
        host=table.take("host", _host, Serving.host),
        port=table.take("port", values.whole(0, 65535), Serving.port),
        deadline_us=table.take("deadline", values.positive_duration, Serving.deadline_us),
        language=table.take("language", values.choice("en", "de"), Serving.language),
    )
    table.close()
    return serving


def read_scale(table: Table) -> Scale:
    """Read ``[scale]``."""
    scale = Scale(
        backend=table.take("backend", values.choice("sequential", "loky", "dask"), Scale.backend),
        partitions=table.take("partitions", values.whole(1, 1_000_000), Scale.partitions),
        scheduler=table.take("scheduler", _scheduler, None),
    )
    table.close()
    return scale


def _host(value: object) -> str:
    host = values.text(value)
    if any(mark in host for mark in " /"):
        raise ValueError(f'{values.show(host)} is not a host; write a name or an address, such as "127.0.0.1"')
    return host


def _scheduler(value: object) -> str:
    address = values.text(value)
    if "://" not in address:
        raise ValueError(f'{values.show(address)} is not an address; write it as "tcp://10.0.0.5:8786"')
    return address
