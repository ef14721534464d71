"""``nba`` in a process of its own: for what takes seconds of a processor, or libraries that no request needs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import IO

NOWHERE = asyncio.subprocess.DEVNULL
Heard = int | IO[bytes]

NICENESS = 15
"""How far behind others such a process stands: whoever is answered meanwhile comes first."""
# It is a group of its own, to end it by, before anything else: not a session, in which Linux would give it as much of a
# processor as the service gets, however nice it is (niceness counts inside a session only: autogroups, man 7 sched).
_BESIDE = "import os; os.setpgid(0, 0); from serving.child import beside; beside({})"


async def nba_beside(config: str | None, *command: str, result: Heard = NOWHERE, said: Heard = NOWHERE) -> int:
    """Run a command beside this process; it ends with whoever waits for it.

    Parameters
    ----------
    config
        The file that it is told; None: what it finds by itself.
    result, said
        Files that take what it writes to stdout and stderr.

    Returns
    -------
    int
        Its exit status.
    """
    settings = () if config is None else ("--config", config)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _BESIDE.format(NICENESS)),
        *settings,
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=result,
        stderr=said,
    )
    try:
        return await child.wait()
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            # Until it has a group of its own there is none.
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()


def beside(niceness: int) -> None:
    """Be that process: step back behind others, and end with the one that began it, whatever ends that."""
    from nba.cli import main

    os.nice(niceness)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.exit(main())


def _end_with_parent() -> None:
    # Its end of the pipe is closed where it was killed, too. Whatever was begun here ends as well.
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)
