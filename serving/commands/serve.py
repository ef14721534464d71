"""``nba serve``: the HTTP service."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable

from features.errors import UserError
from nba.door import moment, now_us, settings_at
from nba.output import Output

_SYNC_SECONDS = 15.0


class ServeError(UserError):
    """The service cannot be started as it was asked to."""


def register(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.description = (
        "Run the HTTP service until Ctrl-C. It serves the local champion, and fetches a newer one from "
        "MLflow by itself (every 15 seconds; NBA_SYNC_SECONDS changes that). Without keys it answers this "
        "machine only."
    )
    parser.epilog = (
        'example:\n  nba serve --port 8080\n  curl -d \'{"contact": "crm:4711"}\' http://127.0.0.1:8080/v1/recommend'
    )
    parser.add_argument("--host", help="where to listen (serving.host)")
    parser.add_argument("--port", type=_port, help="the port, 0 for any free one (serving.port)")
    parser.add_argument(
        "--as-of",
        metavar="T",
        help="start the clock at T instead of now, to look at old data as it was (ISO 8601)",
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Serve; returns when told to end."""
    try:
        from serving.app import create_app
        from serving.run import address_of, listen, run
    except ModuleNotFoundError as error:
        if error.name not in ("fastapi", "uvicorn", "starlette"):
            raise
        raise ServeError(f"{error.name} is not installed; `pip install 'nba-service[serving]'`") from error
    from features.store.store import Store
    from serving.daily import Daily
    from serving.loopback import require_loopback
    from serving.secret import read_secret

    settings = settings_at(args, out)
    host = settings.serving.host if args.host is None else args.host
    port = settings.serving.port if args.port is None else args.port
    require_loopback(host)
    clock = _clock(args.as_of)
    app = create_app(
        settings,
        sync_seconds=_sync_seconds(os.environ.get("NBA_SYNC_SECONDS")),
        clock=clock,
        daily=Daily(args.config, settings.folder, clock),
    )
    # What would go wrong in the lifespan becomes a sentence here instead of a log of the web server.
    read_secret(settings.folder, os.environ)
    with Store.open(settings.store.url), listen(host, port) as listening:
        address = address_of(listening)
        out.say(f"Listening on {address}; no keys are set, so only this machine is answered. Ctrl-C ends it.")
        out.say(f"  what next for a contact   POST {address}/v1/recommend")
        out.say(f"  every address             GET  {address}/")
        out.say(f"  for generators            GET  {address}/openapi.json")
        started = run(app, listening)
    out.say("Ended; everything that was acknowledged is stored." if started else "The service could not start.")
    return 0 if started else 1


def _clock(as_of: str | None) -> Callable[[], int]:
    """Tell the time, or a time that started at ``as_of`` when the service did."""
    if as_of is None:
        return now_us
    behind = now_us() - moment(as_of)
    return lambda: now_us() - behind


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a whole number from 0 to 65535")
    return int(text)


def _sync_seconds(text: str | None) -> float:
    if text is None:
        return _SYNC_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.05 <= seconds <= 86_400:
        raise ServeError(f"NBA_SYNC_SECONDS {text!r} is not a number of seconds from 0.05 to 86400")
    return seconds
