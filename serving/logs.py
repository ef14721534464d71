"""What the service logs: one line each, and nothing about the people we know.

By default warnings, errors and swaps of bundles, for people. With ``NBA_LOG=json`` a line of JSON for each of these
and for every answer. Neither holds an address as it was asked for, a query, a body, or the message of an exception
that nobody foresaw: values may stand in them.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import IO, Any

import orjson

from features.errors import UserError
from features.times import iso
from serving.underway import Underway, underway

VARIABLE = "NBA_LOG"
_WAYS = ("text", "json")

requests = logging.getLogger("nba.requests")


class LogError(UserError):
    """The log was asked to be written in a way there is not."""


def begin_logging(environ: Mapping[str, str], stream: IO[str] | None = None) -> None:
    """Send whatever is logged in this process to stderr, in the way that ``NBA_LOG`` says.

    Raises
    ------
    LogError
        Where it says neither "text" nor "json".
    """
    way = environ.get(VARIABLE, "text")
    if way not in _WAYS:
        raise LogError(f'{VARIABLE} {way!r} is no way to log; say "json" for lines of JSON, or leave it out')
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if way == "json" else PlainLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("nba.serving").setLevel(logging.INFO)
    requests.setLevel(logging.INFO if way == "json" else logging.WARNING)


def log_answer(seen: Underway, status: int, seconds: float, key: str) -> None:
    """Log an answer, where answers are logged.

    Parameters
    ----------
    key
        The id of the caller's key; empty where it has none.
    """
    if not requests.isEnabledFor(logging.INFO):
        return
    told: dict[str, Any] = {"route": seen.route, "status": status, "ms": round(seconds * 1e3, 2), "key": key or None}
    if seen.n_decisions:
        told |= {"decision_ids": seen.decisions, "decisions": seen.n_decisions}
    requests.info("answered", extra={"told": told})


class PlainLines(logging.Formatter):
    """Lines for people; of an exception its kind and place."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatException(self, info: Any) -> str:
        """Name the exception and where it was raised, but not its message."""
        return where_raised(info[1])


class JsonLines(logging.Formatter):
    """Lines for programs: one JSON object each."""

    def format(self, record: logging.LogRecord) -> str:
        """Lay out one line."""
        line: dict[str, Any] = {
            "at": iso(int(record.created * 1e6)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": underway().request_id or None,
            **getattr(record, "told", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = where_raised(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


def where_raised(error: BaseException | None) -> str:
    """Name an exception and the place it was raised at.

    Examples
    --------
    >>> where_raised(KeyError("a person's name"))
    'KeyError at an unknown place'
    """
    trace = error.__traceback__ if error is not None else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown place"
    return f"{type(error).__name__} at {where}"
