"""Scores that a page tells of, as a file: the rows and columns of the exports, of those who are asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from itertools import chain

from starlette.responses import Response

from nba.safe_csv import lines
from serving.dashboard.visit import SEALS, Visit
from serving.downloads import Download, Downloads
from serving.exported import Wanted, columns_of, rows_for

_DOWNLOADS = Downloads(most=2)


async def download(visit: Visit, name: str, is_wanted: Wanted) -> Response:
    """Send the scores that are asked for, as CSV that no spreadsheet takes for a formula.

    Parameters
    ----------
    name
        What the file is about.
    """
    service, now = visit.service, visit.now
    _DOWNLOADS.begin()
    try:
        found = rows_for(service.store, service.settings, visit.viewer, now, is_wanted)
        # The first row is read before the answer begins, so that a store that is away is told by the status.
        first = await asyncio.to_thread(next, found, None)
    except BaseException:
        _DOWNLOADS.end()
        raise
    rows = found if first is None else chain([first], found)
    pieces = _in_thread(lines(list(columns_of(service.settings)), rows))
    headers = {**SEALS, "Content-Disposition": f'attachment; filename="{file_name(name)}.csv"'}
    return Download(pieces, "text/csv; charset=utf-8", headers, _DOWNLOADS)


def file_name(name: str) -> str:
    """Return a name that every system takes for a file's.

    Examples
    --------
    >>> file_name("segment hot/leads"), file_name('"')
    ('segment-hot-leads', 'contacts')
    """
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:80] or "contacts"


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
