"""Exports: every contact's newest score with its best actions, as a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import chain

from starlette.requests import Request
from starlette.responses import Response

from features.store.sights import state_of_scores
from nba.partners.visibility import Viewer
from nba.safe_csv import lines as csv_lines
from serving import schemas
from serving.caller import caller_of
from serving.downloads import Download, Downloads
from serving.exported import columns_of, lines, rows_for
from serving.operations import Handler, Operation
from serving.packed import HEADERS, VARIES, packed, takes_gzip
from serving.parquet import can_be_made, parquet
from serving.problems import Problem
from serving.service import Service, service_of
from serving.unchanged import has_already, not_modified, tag_of

_NDJSON, _CSV, _PARQUET = "application/x-ndjson", "text/csv", "application/vnd.apache.parquet"


_DOWNLOADS = Downloads(most=4)


def _export(suffix: str, media_type: str) -> Handler:
    async def export(request: Request) -> Response:
        service, viewer = service_of(request), caller_of(request).viewer
        if suffix == "parquet" and not can_be_made():
            detail = "this service was installed without pyarrow, which writes Parquet; ask for .ndjson or .csv"
            raise Problem(501, "no-parquet", detail)
        now = service.now_us()
        state = await asyncio.to_thread(state_of_scores, service.store, now)
        tag = tag_of(suffix, viewer.partner, viewer.owner, *columns_of(service.settings), state)
        headers = {"Cache-Control": "no-store", **VARIES, "ETag": tag}
        if has_already(request, tag):
            return not_modified(headers)
        headers["Content-Disposition"] = f'attachment; filename="recommendations.{suffix}"'
        headers |= HEADERS if takes_gzip(request) and suffix != "parquet" else {}
        _DOWNLOADS.begin()
        try:
            pieces = await _pieces(service, viewer, suffix, now, is_packed="Content-Encoding" in headers)
        except BaseException:
            _DOWNLOADS.end()
            raise
        return Download(pieces, media_type, headers, _DOWNLOADS)

    return export


async def _pieces(service: Service, viewer: Viewer, suffix: str, now: int, *, is_packed: bool) -> AsyncIterator[bytes]:
    columns = columns_of(service.settings)
    found = rows_for(service.store, service.settings, viewer, now)
    # The first row is read before the answer begins, so that a store that is away is told by the status.
    first = await asyncio.to_thread(next, found, None)
    rows = found if first is None else chain([first], found)
    if suffix == "parquet":
        return parquet(columns, lines(rows))
    plain = csv_lines(list(columns), rows) if suffix == "csv" else lines(rows)
    return _in_thread(packed(plain) if is_packed else plain)


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Make pieces in a thread, one at a time."""
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece


_ROW: Mapping[str, object] = {
    "contact_id": "crm:4711",
    "as_of": "2026-11-21T10:00:00Z",
    "stage": "evaluate",
    "points": 265.0,
    "p_conversion": 0.31,
    "expected_value": 106.8,
    "action_1": "sales_call",
    "priority_1": 106.8,
    "action_2": None,
    "priority_2": None,
    "action_3": None,
    "priority_3": None,
    "model_version": "3",
}


def _operation(id: str, suffix: str, media_type: str, means: str, example: object) -> Operation:
    return Operation(
        id=id,
        method="GET",
        scope="read",
        path=f"/v1/exports/recommendations.{suffix}",
        handler=_export(suffix, media_type),
        means=means,
        response=schemas.TEXT,
        response_example=example,
        media_type=media_type,
        answers=(304, 501, 503) if suffix == "parquet" else (304, 503),
    )


_WHAT = "Every contact's newest score with its best actions, as far as the key sees them: "
_CSV_EXAMPLE = f"{','.join(_ROW)}\r\n{','.join('' if value is None else str(value) for value in _ROW.values())}\r\n"

OPERATIONS = (
    _operation(
        "exportRecommendationsNdjson", "ndjson", _NDJSON, f"{_WHAT}a JSON object a line.",
        '{"contact_id": "crm:4711", "stage": "evaluate", "action_1": "sales_call"}\n',
    ),
    _operation(
        "exportRecommendationsCsv", "csv", _CSV, f"{_WHAT}CSV that no spreadsheet takes for a formula.", _CSV_EXAMPLE
    ),
    _operation("exportRecommendationsParquet", "parquet", _PARQUET, f"{_WHAT}Parquet.", "PAR1"),
)  # fmt: skip
