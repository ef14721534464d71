"""``nba serve``: the HTTP service."""

from __future__ import annotations

import argparse
import math
import os
from typing import TYPE_CHECKING

from features.errors import UserError
from nba.door import moment, now_us, settings_at
from nba.output import Output

if TYPE_CHECKING:
    from features.store.patience import Patience
    from serving.keys import Ring

_SYNC_SECONDS = 15.0
_MOST_WORKERS = 64


class ServeError(UserError):
    """The service cannot be started as it was asked to."""


def register(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.description = (
        "Run the HTTP service until Ctrl-C, with the pages for sales and marketing at the same address. It serves the "
        "local champion, and fetches a newer one from "
        "MLflow by itself (every 15 seconds; NBA_SYNC_SECONDS changes that). Without keys it answers this "
        "machine only; `nba keys add` makes one.\n\nWith --workers several processes answer at the address: SIGHUP "
        "replaces them one after another, with the settings read again. NBA_LOG=json logs a line of JSON for every "
        "answer; OTEL_EXPORTER_OTLP_ENDPOINT says where traces go; GET /metrics is for Prometheus."
    )
    parser.epilog = (
        'example:\n  nba serve --port 8080\n  curl -d \'{"contact": "crm:4711"}\' http://127.0.0.1:8080/v1/recommend'
    )
    parser.add_argument("--host", help="where to listen (serving.host)")
    parser.add_argument("--port", type=_port, help="the port, 0 for any free one (serving.port)")
    parser.add_argument(
        "--workers", type=_workers, default=1, metavar="N", help="how many processes answer (1), about one per core"
    )
    parser.add_argument(
        "--as-of",
        metavar="T",
        help="start the clock at T instead of now, to look at old data as it was (ISO 8601)",
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Serve; returns when told to end."""
    try:
        from serving.app import create_app
        from serving.logs import begin_logging
        from serving.run import address_of, listen, run
        from serving.tracing import check_tracing
        from serving.workers import WorkerPlan, run_workers
    except ModuleNotFoundError as error:
        if error.name not in ("fastapi", "prometheus_client", "uvicorn", "starlette"):
            raise
        raise ServeError(f"{error.name} is not installed; `pip install 'nba-service[serving]'`") from error
    from features.store.store import Store
    from serving.daily import daily
    from serving.keys import ring_at_start
    from serving.loopback import is_loopback
    from serving.remembered_keys import RememberedKeys
    from serving.secret import read_secret

    settings = settings_at(args, out)
    host = settings.serving.host if args.host is None else args.host
    port = settings.serving.port if args.port is None else args.port
    behind = 0 if args.as_of is None else now_us() - moment(args.as_of)
    sync_seconds = _sync_seconds(os.environ.get("NBA_SYNC_SECONDS"))
    begin_logging(os.environ)
    check_tracing(os.environ)

    def clock() -> int:
        return now_us() - behind

    # What would go wrong in the lifespan becomes a sentence here instead of a log of the web server.
    secret = read_secret(settings.folder, os.environ)
    with Store.open(settings.store.url, _patience(), may_be_away=True) as store:
        ring = ring_at_start(store, RememberedKeys(settings.folder, secret, settings.store.url), now_us())
        why_away = store.why_out
    with listen(_checked(host, ring), port) as listening:
        address = address_of(listening)
        out.say(f"Listening on {address}; {_answered(ring, is_loopback(host))}. Ctrl-C ends it.")
        if why_away is not None:
            out.say(f"  {why_away}; it is looked for, and what comes is kept in the journal until it is there")
        out.say(f"  what next for a contact   POST {address}/v1/recommend")
        out.say(f"  pages for people          open {address}/ in a browser")
        out.say(f"  every address             GET  {address}/")
        out.say(f"  for generators            GET  {address}/openapi.json")
        if args.workers > 1:
            plan = WorkerPlan(args.config, behind, sync_seconds, not is_loopback(host))
            started = run_workers(plan, listening, args.workers)
        else:
            reports = daily(args.config, settings.folder, clock, joins=settings.accounts.email_domains)
            app = create_app(
                settings, sync_seconds=sync_seconds, clock=clock, daily=reports, is_elsewhere=not is_loopback(host)
            )
            started = run(app, listening)
    out.say("Ended; everything that was acknowledged is stored." if started else "The service could not start.")
    return 0 if started else 1


def _patience() -> Patience:
    """Return how long the store is waited for: an older one is brought to the newest schema here, in its own time."""
    from features.store.patience import Patience

    return Patience(busy=60.0, answer=3600.0, connect=5)


def _checked(host: str, ring: Ring) -> str:
    """Return the host to listen on; another one than this machine's needs a live key, where anybody knows."""
    from serving.loopback import require_loopback
    from serving.oidc import read_issuer

    if read_issuer(os.environ) is None and ring.is_whole and ring.live(now_us()) == 0:
        require_loopback(host)
    return host


def _answered(ring: Ring, is_loopback: bool) -> str:
    """Say who is answered."""
    from serving.oidc import read_issuer

    issuer = read_issuer(os.environ)
    trusted = "" if issuer is None else f" and whoever has a token of {issuer.address}"
    live, all_ = ring.live(now_us()), len(ring.rows)
    if live or trusted:
        remembered = "" if ring.is_whole else ", as remembered,"
        return f"{live:,} key{'s'[: live != 1]}{trusted}{remembered} can call it"
    if not ring.is_whole:
        return "its keys are not known, so nobody is answered until the store is there"
    if all_ or not is_loopback:
        return f"none of its {all_:,} keys is live, so nobody is answered until `nba keys add`"
    return "no keys are set, so only this machine is answered"


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a whole number from 0 to 65535")
    return int(text)


def _workers(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers; give one from 1 to {_MOST_WORKERS}")
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
