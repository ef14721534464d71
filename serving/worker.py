"""One of several processes that answer at one address: ``python -m serving.worker``, started by ``serving.workers``.

It reads its plan from its input, a line of JSON, says on its output when it answers, and ends when that input does:
whoever started it is gone.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import orjson

from features.errors import UserError
from nba.door import now_us
from nba.settings import load_settings
from serving.app import create_app
from serving.daily import daily
from serving.run import run

READY = b"ready"


def _end_with_parent() -> None:
    """Finish what is under way when the input ends, as at SIGTERM."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _read_plan() -> dict[str, Any]:
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            sys.exit(1)
        line += byte
    found = orjson.loads(line)
    return found if isinstance(found, dict) else {}


def _say_ready() -> None:
    sys.stdout.buffer.write(READY + b"\n")
    sys.stdout.buffer.flush()


def main() -> int:
    """Answer until told to end; the first worker also keeps bundles up to date and reports once a day."""
    # Ctrl-C in a terminal reaches every process of it; the parent passes on that it is time to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    plan = _read_plan()
    config = None if plan["config"] is None else Path(plan["config"])
    settings = load_settings(config, os.environ)
    behind = int(plan["behind_us"])

    def clock() -> int:
        return now_us() - behind

    is_first = plan["number"] == 0
    app = create_app(
        settings,
        sync_seconds=plan["sync_seconds"] if is_first else None,
        clock=clock,
        daily=daily(plan["config"], settings.folder, clock, joins=settings.accounts.email_domains)
        if is_first
        else None,
        is_elsewhere=bool(plan["is_elsewhere"]),
        worker=plan["number"],
    )
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with socket.socket(fileno=plan["listening"]) as listening:
        return 0 if run(app, listening, on_ready=_say_ready) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(str(error))
