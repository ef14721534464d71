"""``nba`` in a process of its own: for what takes seconds of a processor, or libraries that no request needs."""

from __future__ import annotations

import asyncio
import sys
from typing import IO

NOWHERE = asyncio.subprocess.DEVNULL
Heard = int | IO[bytes]

NICENESS = 15
"""How far behind others such a process stands: whoever is answered meanwhile comes first."""
_IN_NO_HURRY = "import os, sys; os.nice({}); from nba.cli import main; sys.exit(main())"


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
        *(sys.executable, "-c", _IN_NO_HURRY.format(NICENESS)),
        *settings,
        *command,
        stdin=NOWHERE,
        stdout=result,
        stderr=said,
    )
    try:
        return await child.wait()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
