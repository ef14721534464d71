"""Parquet made by a process of its own, as it is asked for."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec

import orjson

_PIECE = 1 << 16


class ParquetError(Exception):
    """The process did not write the whole file."""


def can_be_made() -> bool:
    """Whether what writes Parquet is installed."""
    return find_spec("pyarrow") is not None


async def parquet(columns: Mapping[str, str], lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Turn lines of JSON into Parquet.

    Parameters
    ----------
    columns
        Name of each column and what it holds, as ``serving.exported.columns_of`` says.
    lines
        Rows as JSON, whole lines; read in a thread.

    Raises
    ------
    ParquetError
        Where the process ends badly: what was yielded by then is no whole file.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "serving.parquet_child", stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    feeding = asyncio.create_task(_feed(child, orjson.dumps(list(columns.items())) + b"\n", lines))
    try:
        while piece := await _read(child):
            yield piece
        await feeding
        if await child.wait() != 0:
            raise ParquetError("the process that writes Parquet did not end well")
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()


async def _read(child: Process) -> bytes:
    return b"" if child.stdout is None else await child.stdout.read(_PIECE)


async def _feed(child: Process, head: bytes, lines: Iterator[bytes]) -> None:
    if child.stdin is None:
        return
    child.stdin.write(head)
    try:
        # A child that has died is told of by its status.
        with suppress(BrokenPipeError, ConnectionResetError):
            while piece := await asyncio.to_thread(next, lines, b""):
                child.stdin.write(piece)
                await child.stdin.drain()
    except BaseException:
        # Told of the end, it would make a file of what it has, which would look whole.
        with suppress(ProcessLookupError):
            child.kill()
        raise
    child.stdin.close()
