"""Publish a bundle and be killed in the midst of it; run as a process by ``test_registry_killed.py``.

``publish_and_die.py BUNDLE FOLDER...``: each folder holds an ``mlflow.db``. In the n-th, a child publishes and is
killed before its n-th call of MLflow's client, or after a part of the seconds that the first, whole one took, where
the folder's name says so. Prints a line a folder: the calls that were made, or ``killed``.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from models.registry.registry import Registry
from models.registry.training_run import TrainingRun


def counted(client: type, kill_before: int) -> list[str]:
    """Count the calls of every method of the client, and end the process before one of them."""
    calls: list[str] = []

    def wrap(name: str, method: Any) -> Any:
        def call(*args: Any, **named: Any) -> Any:
            if len(calls) == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)
            calls.append(name)
            return method(*args, **named)

        return call

    public = [name for name in dir(client) if not name.startswith("_") and callable(getattr(client, name))]
    for name in [*public, "_create_logged_model"]:
        setattr(client, name, wrap(name, getattr(client, name)))
    return calls


def publish(bundle: Path, folder: Path, kill_before: int) -> list[str]:
    """Publish in this process."""
    registry = Registry(f"sqlite:///{folder}/mlflow.db", "nba", folder / "mlartifacts")
    with registry._mlflow() as mlflow:
        calls = counted(mlflow.MlflowClient, kill_before)
    registry.publish(bundle, TrainingRun(metrics={"conversion.model.auc": 0.5}, plots={"a": b"x"}))
    return calls


def main() -> None:
    """Fork a child for each folder, so that MLflow is imported once."""
    bundle, *folders = map(Path, sys.argv[1:])
    import mlflow.pyfunc  # noqa: F401 - imported before the children are made

    for folder in folders:
        kind, _, number = folder.name.partition("-")
        read, write = os.pipe()
        child = os.fork()
        if not child:
            os.close(read)
            calls = publish(bundle, folder, int(number) if kind == "before" else 10**9)
            os.write(write, " ".join(calls).encode())
            os._exit(0)
        os.close(write)
        if kind == "after":
            time.sleep(float(number))
            os.kill(child, signal.SIGKILL)
        told = os.read(read, 65536)
        os.close(read)
        os.waitpid(child, 0)
        sys.stdout.write((told.decode() or "killed") + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
