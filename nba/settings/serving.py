"""The service; ``[serving]``."""

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


def _host(value: object) -> str:
    host = values.text(value)
    if any(mark in host for mark in " /"):
        raise ValueError(f'{values.show(host)} is not a host; write a name or an address, such as "127.0.0.1"')
    return host
