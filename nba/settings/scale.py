"""How work on many contacts is spread; ``[scale]``."""

from __future__ import annotations

from dataclasses import dataclass

from nba.settings import values
from nba.settings.table import Table

SEQUENTIAL, LOKY, DASK = BACKENDS = ("sequential", "loky", "dask")


@dataclass(frozen=True)
class Scale:
    """The joblib backend that partitions of contacts are spread over.

    ``scheduler`` is the address of the Dask cluster that somebody runs.
    """

    backend: str = LOKY
    partitions: int = 64
    scheduler: str | None = None


def read_scale(table: Table) -> Scale:
    """Read ``[scale]``; a Dask cluster needs its address."""
    scale = Scale(
        backend=table.take("backend", values.choice(*BACKENDS), Scale.backend),
        partitions=table.take("partitions", values.whole(1, 1_000_000), Scale.partitions),
        scheduler=table.take("scheduler", _scheduler, None),
    )
    table.close()
    if scale.backend == DASK and scale.scheduler is None and "scheduler" not in table:
        table.complain(
            "scheduler", 'is missing; backend "dask" needs the cluster\'s address, such as "tcp://10.0.0.5:8786"'
        )
    return scale


def _scheduler(value: object) -> str:
    address = values.text(value)
    if "://" not in address:
        raise ValueError(f'{values.show(address)} is not an address; write it as "tcp://10.0.0.5:8786"')
    return address
