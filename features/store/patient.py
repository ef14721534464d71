"""A connection to PostgreSQL that does not wait for ever, and what a server says that has none for us."""

from __future__ import annotations

import inspect
import time
from collections.abc import Generator
from typing import Any

import psycopg

from features.store.patience import Patience

_LOOK_SECONDS = 0.02
# Newer drivers bound a conversation themselves, in compiled code.
_KNOWS_TIMEOUTS = "timeout" in inspect.signature(psycopg.Connection.wait).parameters


class NoAnswerError(psycopg.OperationalError):
    """The server did not answer in the time there was for it."""


class Patient(psycopg.Connection[tuple[Any, ...]]):
    """A connection that is given up when the server does not answer in time.

    Nobody knows what the server still does with what it was sent; so it is for statements that may be sent again.
    """

    patience: Patience | None = None

    def wait(self, gen: Any, interval: float = _LOOK_SECONDS, timeout: float | None = None) -> Any:
        """Wait for the server, as long as the calling thread may."""
        if self.patience is None:
            return super().wait(gen, interval)
        seconds = self.patience.left() if timeout is None else timeout
        until = time.monotonic() + seconds
        try:
            if _KNOWS_TIMEOUTS:
                return super().wait(gen, _LOOK_SECONDS, seconds)
            return super().wait(_bounded(gen, until), _LOOK_SECONDS)
        except psycopg.OperationalError as error:
            if error.sqlstate is not None or time.monotonic() < until:
                raise
            self.pgconn.finish()
            raise NoAnswerError("no answer in time") from error


def refusal_in(said: str) -> str | None:
    """Name what a server has that is there and lets nobody in; None where it is something else."""
    if any(words in said for words in ("password", "authentication", "no pg_hba.conf entry")):
        return "entry"
    return next((what for what in ("database", "role") if what in said and "does not exist" in said), None)


def _bounded(gen: Generator[Any, Any, Any], until: float) -> Generator[Any, Any, Any]:
    """Pass a conversation with the server on, until time has run out without a word from it."""
    try:
        state = next(gen)
        while True:
            ready = yield state
            if not ready and time.monotonic() >= until:
                raise NoAnswerError("no answer in time")
            state = gen.send(ready)
    except StopIteration as ended:
        return ended.value
