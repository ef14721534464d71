"""Exports: the same rows in three formats, for each viewer what it may see, and no formula in a cell."""

import asyncio
import csv
import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.rows.row_types import ContactRow, ScoreRow, TouchpointRow
from features.store.sights import scores_with_sight
from features.store.store import Store, StoreError
from nba.partners.owner_sights import put_down
from nba.safe_csv import cell, text_of
from serving import parquet
from serving.issuing import Rights, issue
from tests.nba.bi_world import NOTHING, NOW, WHOLE, fill

PATH = "/v1/exports/recommendations"
COLUMNS = [
    "contact_id", "as_of", "stage", "points", "p_conversion", "p_churn", "expected_value", "action_1", "priority_1",
    "action_2", "priority_2", "action_3", "priority_3", "model_version",
]  # fmt: skip


@pytest.fixture
def world(local):
    """A filled store, and the headers of a key for the owner's side, a partner and a seller."""
    with Store.open(local.settings.store.url) as store:
        local.world = fill(store, contacts=30, happenings=40, decisions=10)
        put_down(store, local.settings, NOW)
        local.headers = {}
        for name, partner, owner in (("all", None, None), ("north", "north", None), ("lee", None, "lee")):
            made = issue(store, Rights(name, ("read",), partner, owner), by="test", now_us=NOW)
            local.headers[name] = {"Authorization": f"Bearer {made.key}"}
    return local


def fetched(world, suffix: str, who: str = "all"):
    async def journey(client):
        return await client.get(f"{PATH}.{suffix}", headers=world.headers[who])

    return world.run(journey)


def rows_of(answer) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.content.splitlines()]


def test_the_owner_gets_the_columns_of_the_file_and_of_kept_contacts_nothing(world) -> None:
    answer = fetched(world, "ndjson")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    assert answer.headers["cache-control"] == "no-store"
    rows, sight = rows_of(answer), world.world.sight
    scores = {row.contact_id: row for row in world.world.scores}
    assert [row["contact_id"] for row in rows] == sorted(name for name in scores if sight(name) != NOTHING)
    for row in rows:
        score = scores[row["contact_id"]]
        assert [*row] == COLUMNS
        said = {**score.body, "stage": score.stage, "points": score.points, "model_version": "2"}
        seen = {"stage", "p_conversion", "p_churn", "model_version"}
        for name in COLUMNS[2:]:
            is_seen = sight(row["contact_id"]) == WHOLE or name in seen
            assert row[name] == (said[name] if is_seen else None), name
        assert row["as_of"] == "2025-11-24T15:59:59.999993Z"


def test_a_partner_gets_its_own_contacts_and_a_seller_those_that_name_it(world) -> None:
    names = {row["contact_id"] for row in rows_of(fetched(world, "ndjson", "north"))}
    assert names == {name for name, partner in world.world.partner.items() if partner == "north"}
    names = {row["contact_id"] for row in rows_of(fetched(world, "ndjson", "lee"))}
    mine = {f"crm:{i}" for i in range(0, 30, 4)}
    assert names == {name for name in mine if world.world.sight(name) != NOTHING}


def test_who_changes_partner_is_in_no_export_until_it_was_looked_at_again(world) -> None:
    with Store.open(world.settings.store.url) as store, store.writing() as writing:
        writing.contacts([ContactRow("crm:0", NOW, {"partner": "north"})])
    for who in ("all", "north", "lee"):
        assert "crm:0" not in {row["contact_id"] for row in rows_of(fetched(world, "ndjson", who))}
    with Store.open(world.settings.store.url) as store:
        put_down(store, world.settings, NOW + 1)
    found = {who: {row["contact_id"] for row in rows_of(fetched(world, "ndjson", who))} for who in ("all", "north")}
    assert "crm:0" in found["north"] - found["all"]


def test_csv_and_parquet_have_the_same_rows(world) -> None:
    with Store.open(world.settings.store.url) as store:
        store.save_scores([*world.world.scores, ScoreRow("x", NOW, "=cmd|' /C calc'!A0", -5.0, {"p_churn": 0.5}, None)])
        with store.writing() as writing:
            writing.contacts([ContactRow("x", 1, {"size": 1})])
        put_down(store, world.settings, NOW)
    lines = rows_of(fetched(world, "ndjson"))
    answer = fetched(world, "csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="recommendations.csv"'
    table = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [*table[0]] == COLUMNS
    told = [{name: "" if value is None else str(value) for name, value in row.items()} for row in lines]
    told[-1]["stage"] = "'=cmd|' /C calc'!A0"
    assert told[-1]["points"] == "-5.0"
    assert table == told
    found = pq.read_table(io.BytesIO(fetched(world, "parquet").content))
    assert [str(field.type) for field in found.schema][:4] == ["string", "timestamp[us, tz=UTC]", "string", "double"]
    moments = [f"{row['as_of']:%Y-%m-%dT%H:%M:%S.%f}Z".replace(".000000Z", "Z") for row in found.to_pylist()]
    assert moments == [row["as_of"] for row in lines]
    assert found.drop_columns("as_of").to_pylist() == [
        {name: value for name, value in row.items() if name != "as_of"} for row in lines
    ]


def test_without_scores_there_are_no_rows_in_any_format(local) -> None:
    async def journey(client):
        return [await client.get(f"{PATH}.{suffix}") for suffix in ("ndjson", "csv", "parquet")]

    lines, table, columns = local.run(journey)
    assert lines.content == b""
    assert table.text == ",".join(COLUMNS) + "\r\n"
    assert pq.read_table(io.BytesIO(columns.content)).num_rows == 0


def test_where_parquet_cannot_be_written_the_answer_says_so(local, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert not parquet.can_be_made()

    async def journey(client):
        return await client.get(f"{PATH}.parquet")

    answer = local.run(journey)
    assert (answer.status_code, answer.json()["code"]) == (501, "no-parquet")


def test_a_file_that_could_not_be_made_whole_does_not_end_as_if_it_were() -> None:
    def broken() -> Iterator[bytes]:
        yield b'{"n": 1.0}\n'
        raise StoreError("away")

    async def journey() -> bytes:
        return b"".join([piece async for piece in parquet.parquet({"n": "number"}, broken())])

    with pytest.raises(StoreError, match="away"):
        asyncio.run(journey())


def test_a_store_that_is_away_is_told_by_the_status(local, monkeypatch) -> None:
    def away(*_: object) -> None:
        raise StoreError("away")

    async def journey(client):
        monkeypatch.setattr(local.service.store, "_stream", away)
        return [await client.get(f"{PATH}.{suffix}") for suffix in ("ndjson", "csv", "parquet")]

    assert [answer.status_code for answer in local.run(journey)] == [503, 503, 503]


def test_unknown_words_and_formats_are_refused(local) -> None:
    async def journey(client):
        return [await client.get(f"{PATH}{rest}") for rest in (".csv?limit=3", ".xlsx")]

    query, suffix = local.run(journey)
    assert (query.status_code, suffix.status_code) == (422, 404)


@given(st.text())
def test_no_text_begins_as_a_formula_and_each_can_be_read_back(text: str) -> None:
    found = cell(text)
    assert isinstance(found, str)
    assert not found.lstrip().startswith(("=", "+", "-", "@"))
    assert not found.startswith(("\t", "\r"))
    assert text_of(found) == text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])
def test_what_a_spreadsheet_would_calculate_is_quoted(start: str) -> None:
    assert cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("value", [-1.5, 3, None, True])
def test_numbers_stay_numbers(value: object) -> None:
    assert cell(value) is value


def export(world, *asked):
    """Ask one after the other: (suffix, headers), or something to be done in between."""

    async def journey(client):
        found: list[Any] = []
        for each in asked:
            if callable(each):
                with Store.open(world.settings.store.url) as store:
                    each(store)
            else:
                suffix, who, more = each
                more = {"If-None-Match": found[-1].headers["etag"]} if more is True else more
                found.append(await client.get(f"{PATH}.{suffix}", headers=world.headers[who] | more))
        return found

    return world.run(journey)


PLAIN: dict[str, str] = {"Accept-Encoding": "identity"}


def scored_again(store: Store) -> None:
    store.save_scores(list(store.score_rows()))


def somebody_objects(store: Store) -> None:
    name = next(row.contact_id for row, _ in scores_with_sight(store, NOW))
    with store.writing() as writing:
        writing.touchpoints([TouchpointRow(name, NOW - 1, "objects", "objection")])


def somebody_unsubscribes(store: Store) -> None:
    name = next(row.contact_id for row, _ in scores_with_sight(store, NOW))
    with store.writing() as writing:
        writing.touchpoints([TouchpointRow(name, NOW - 1, "leaves", "unsubscribed", channel="email")])


def somebody_changes_hands(store: Store) -> None:
    name = next(row.contact_id for row, _ in scores_with_sight(store, NOW))
    with store.writing() as writing:
        writing.contacts([ContactRow(name, NOW, {"partner": "somebody new"})])


@pytest.mark.parametrize("suffix", ["ndjson", "csv"])
def test_what_a_caller_has_already_is_not_sent_again(world, suffix) -> None:
    first, again, other, whole = export(
        world, (suffix, "all", PLAIN), (suffix, "all", True), (suffix, "north", PLAIN), (suffix, "all", PLAIN)
    )
    assert (first.status_code, again.status_code) == (200, 304)
    assert again.content == b"" and again.headers["etag"] == first.headers["etag"] != other.headers["etag"]
    assert again.headers["cache-control"] == "no-store" and "content-disposition" not in again.headers
    assert whole.headers["etag"] == first.headers["etag"] and whole.content == first.content


def test_parquet_is_packed_already_and_not_sent_again(world) -> None:
    first, again = export(world, ("parquet", "all", {"Accept-Encoding": "gzip"}), ("parquet", "all", True))
    assert "content-encoding" not in first.headers
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


@pytest.mark.parametrize("change", [scored_again, somebody_objects, somebody_unsubscribes, somebody_changes_hands])
def test_every_change_has_it_sent_again(world, change) -> None:
    first, after = export(world, ("ndjson", "all", PLAIN), change, ("ndjson", "all", True))
    assert after.status_code == 200 and after.headers["etag"] != first.headers["etag"]
    if change is not scored_again:
        assert len(after.content.splitlines()) < len(first.content.splitlines())


def test_a_name_of_something_else_is_none_of_ours(world) -> None:
    tags = ['"x"', "*", 'W/"x", "y"', ""]
    found = export(world, *(("csv", "all", {"If-None-Match": tag}) for tag in tags))
    assert {each.status_code for each in found} == {200}
    weak = found[0].headers["etag"]
    found = export(world, *(("csv", "all", {"If-None-Match": tag}) for tag in (f'"x", {weak}', weak[2:])))
    assert [each.status_code for each in found] == [304, 304]


@pytest.mark.parametrize("suffix", ["ndjson", "csv"])
def test_who_takes_gzip_gets_it_packed(world, suffix) -> None:
    plain, small, again = export(
        world, (suffix, "all", PLAIN), (suffix, "all", {"Accept-Encoding": "gzip"}), (suffix, "all", True)
    )
    assert small.headers["content-encoding"] == "gzip" and small.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in plain.headers and plain.headers["vary"] == "Accept-Encoding"
    assert small.content == plain.content and small.num_bytes_downloaded < len(plain.content)
    assert small.headers["etag"] == plain.headers["etag"] and again.status_code == 304


def test_no_more_downloads_are_under_way_than_there_may_be(world) -> None:
    asked = {"type": "http", "method": "GET", "path": f"{PATH}.ndjson", "raw_path": b"", "query_string": b""}
    asked |= {"headers": [(b"host", b"localhost"), (b"authorization", world.headers["all"]["Authorization"].encode())]}

    async def journey(client):
        goes_on, began = asyncio.Event(), []

        async def slow(message):
            began.append(message["type"])
            await goes_on.wait()

        async def nothing():
            await asyncio.Event().wait()

        slowly = [asyncio.create_task(world.app({**asked, "root_path": ""}, nothing, slow)) for _ in range(4)]
        while len(began) < 4:
            await asyncio.sleep(0.01)
        refused = await client.get(f"{PATH}.csv", headers=world.headers["all"])
        # Who goes away in the middle leaves its place, and so does who has everything.
        slowly[0].cancel()
        await asyncio.gather(slowly[0], return_exceptions=True)
        instead = await client.get(f"{PATH}.csv", headers=world.headers["all"])
        goes_on.set()
        await asyncio.gather(*slowly[1:])
        return refused, instead, await client.get(f"{PATH}.csv", headers=world.headers["all"])

    refused, instead, after = world.run(journey)
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "overload", "30")
    assert instead.status_code == after.status_code == 200
