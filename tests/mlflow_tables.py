"""MLflow's tables, made once a run: its hundred migrations take longer than all else a test does with it."""

import fcntl
import os
from pathlib import Path

import pytest

from models.registry.registry import Registry


def empty_tables(factory: pytest.TempPathFactory) -> Path:
    """Return a database of MLflow's own making without runs, the same for all workers; to be copied."""
    own = factory.getbasetemp()
    room = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    path = room / "empty-mlflow.db"
    with (room / "empty-mlflow.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            made = own / "mlflow.db"
            assert Registry(f"sqlite:///{made}", "nba", own / "mlartifacts").champion() is None
            made.rename(path)
    return path
