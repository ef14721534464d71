import gzip
import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.files import csv_files as files_csv
from features.files.files import LoadError
from features.loading.loading import LoadReport, load_files
from features.loading.quarantine import retry_quarantine
from features.rows.schema import SchemaError
from features.store.store import Loading, Store
from features.times import ALWAYS, parse_time
from features.touchpoints.touchpoints import TouchpointRules
from tests.features.broken_files import mixed_file

NOW = parse_time("2026-01-01")

Load = Callable[..., LoadReport]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as opened:
        yield opened


@pytest.fixture
def load(store: Store, tmp_path: Path) -> Load:
    def call(content: str | bytes, table: str = "touchpoints", name: str = "a.csv", **named: Any) -> LoadReport:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return load_files(store, table, [path], now_us=NOW, **({"rules": TouchpointRules()} | named))

    return call


def counts(report: LoadReport) -> tuple[int, int, int, int]:
    return report.read, report.stored, report.duplicate, report.quarantined


@pytest.mark.parametrize("seed", range(5))
def test_300_broken_rows_of_10_000_are_put_aside_and_a_repeat_stores_nothing(
    store: Store, load: Load, seed: int
) -> None:
    content = mixed_file(9_700, 300, seed)
    assert counts(load(content)) == (10_000, 9_700, 0, 300)
    assert counts(load(content)) == (10_000, 0, 9_700, 300)
    assert store.counts()["quarantined"] == 300
    assert counts(load(content, name="again.csv")) == (10_000, 0, 9_700, 300)
    assert all(row.reason and row.line for row in store.quarantine_rows())


def test_equal_rows_of_one_file_are_real_and_of_two_files_are_the_same(store: Store, load: Load) -> None:
    rows = "identity,occurred_at,kind\n" + "a,2025-01-01,visit\n" * 3 + ",2025-01-01,visit\n" * 2
    assert counts(load(rows)) == (5, 3, 0, 2)
    assert counts(load(rows, name="b.csv")) == (5, 0, 3, 2)
    assert store.counts()["quarantined"] == 2


def test_content_is_the_same_in_every_format_and_order_of_columns(store: Store, load: Load) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    row = {
        "identity": "4711",
        "occurred_at": "2025-01-01T00:00:00Z",
        "kind": "order",
        "value": 5.0,
        "note": "ü",
    }
    assert load("note,value,identity,kind,occurred_at\nü,5.00,4711,order,2025-01-01\n").stored == 1
    assert load(json.dumps(row), name="a.jsonl").stored == 0
    assert (
        load(gzip.compress(json.dumps({**row, "identity": 4711, "value": 5}).encode()), name="a.jsonl.gz").stored == 0
    )
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([{**row, "identity": 4711.0}, {"identity": None}]), buffer)
    assert counts(load(buffer.getvalue().to_pybytes(), name="a.parquet")) == (2, 0, 1, 1)
    assert store.history("4711", NOW)[0][13] == '{"note":"ü"}'


contents = st.tuples(st.sampled_from("abc"), st.integers(1, 5), st.sampled_from(["visit", "order"]))


@settings(max_examples=30, deadline=None)
@given(st.lists(contents, max_size=25), st.randoms(), st.integers(1, 200), st.integers(1, 9))
def test_order_of_rows_and_size_of_chunks_change_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    table: list[tuple[str, int, str]],
    rng: random.Random,
    size: int,
    n: int,
) -> None:
    found = []
    for rows, block, chunk in ((table, 2**20, 10_000), (rng.sample(table, len(table)), size, n)):
        folder = tmp_path_factory.mktemp("load")
        lines = [f"{identity},2025-01-0{day},{kind}\n" for identity, day, kind in rows]
        (folder / "a.csv").write_text("identity,occurred_at,kind\n" + "".join(lines))
        with pytest.MonkeyPatch.context() as patch, Store.open(f"sqlite:///{folder / 'nba.db'}") as store:
            patch.setattr(files_csv, "CHUNK_BYTES", block)
            patch.setattr(files_csv, "CHUNK_ROWS", chunk)
            load_files(store, "touchpoints", [folder / "a.csv"], now_us=NOW, rules=TouchpointRules())
            found.append(list(store.touchpoint_rows()))
    assert found[0] == found[1]
    assert len(found[0]) == len(table)


def test_set_rename_and_timezone(store: Store, load: Load) -> None:
    report = load(
        "who,at,price,kind\n4711,2025-07-01T12:00,9.5,x\n",
        renames={"who": "identity", "at": "occurred_at", "price": "value"},
        set_values={"kind": "order", "campaign": "7", "source": "shop"},
        zone=ZoneInfo("Europe/Zurich"),
    )
    assert report.stored == 1
    (row,) = store.history("4711", NOW)
    assert (row[1], row[3], row[7], row[13]) == (
        parse_time("2025-07-01T10:00Z"),
        "order",
        9.5,
        '{"campaign":7}',
    )


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
@pytest.mark.parametrize(
    ("renames", "error", "said"),
    [
        ({"nope": "kind"}, LoadError, "no column 'nope'"),
        ({"x": "kind"}, LoadError, "two columns would be called 'kind'"),
        ({"kind": "sort"}, SchemaError, "no column 'kind'"),
    ],
)
def test_columns_that_do_not_fit_store_nothing(
    store: Store, load: Load, name: str, renames: dict[str, str], error: type[Exception], said: str
) -> None:
    row = {"identity": "a", "occurred_at": "2025-01-01", "kind": "visit", "x": "1"}
    content = json.dumps(row) if name == "a.jsonl" else f"{','.join(row)}\n{','.join(row.values())}\n"
    with pytest.raises(error, match=said):
        load(content, name=name, renames=renames)
    assert store.counts()["touchpoints"] == 0


def test_a_fault_in_the_second_file_undoes_the_first(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("identity,occurred_at,kind\na,2025-01-01,visit\n,,\n")
    (tmp_path / "b.csv").write_text("identity\na\n")
    with pytest.raises(SchemaError, match=r"b\.csv"):
        paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
        load_files(store, "touchpoints", paths, now_us=NOW, rules=TouchpointRules())
    assert set(store.counts().values()) == {0}


def test_a_file_of_another_encoding_is_refused_and_one_bad_row_is_not(store: Store, load: Load) -> None:
    header, bad = b"identity,occurred_at,kind\n", "Müller,2025-01-01,visit\n".encode("latin-1")
    with pytest.raises(LoadError, match="line 2"):
        load(header + bad * 2)
    assert counts(load(header + bad + b"a,2025-01-01,visit\n")) == (2, 1, 0, 1)


def test_progress_ends_at_the_size_of_the_file(store: Store, load: Load) -> None:
    labels: list[str] = []

    @contextmanager
    def progress(label: str, total: int | None) -> Iterator[object]:
        done: list[int] = []

        class Bar:
            def advance(self, n: int) -> None:
                done.append(n)

        labels.append(label)
        yield Bar()
        if total is not None:
            assert sum(done) == total
            assert len(done) > 1

    load(mixed_file(20_000, 0, 0), progress=progress)
    assert len(labels) == 2
    assert labels[1] == "storing 20,000 rows, seconds"


def test_storing_can_be_interrupted_in_the_midst_of_a_statement(store: Store) -> None:
    numbers = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000000000)"
    # A shell that runs tests in its background has them ignore what is sent.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    stop = Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    stop.start()
    with pytest.raises(KeyboardInterrupt), store.loading() as writing:
        writing._cursor.execute(f"{numbers} SELECT count(*) FROM c")
    stop.join()
    signal.signal(signal.SIGINT, before)


def test_numbers_stay_numbers_among_the_properties(store: Store, load: Load) -> None:
    load("identity,occurred_at,kind,n,zip,ok,empty,action\n007,2025-01-01,visit,4.50,0815,true,, call \n")
    (row,) = store.history("007", NOW)
    assert row[12] == "call"
    assert json.loads(row[13]) == {"n": 4.5, "zip": "0815", "ok": True, "action": " call "}


def test_traits_keep_their_time_and_merge(store: Store, load: Load) -> None:
    rows = "identity,known_at,size,phone\n1,,5,0123\n1,2025-01-01,7,\n1,2025-01-01,,0456\n,,,\n"
    assert counts(load(rows, "contacts")) == (4, 3, 0, 1)
    assert counts(load(rows, "contacts")) == (4, 0, 3, 1)
    assert store.traits("1", ALWAYS + 1) == {"size": 5, "phone": "0123"}
    assert store.traits("1", NOW) == {"size": 7, "phone": "0456"}


def test_links_and_decisions(store: Store, load: Load) -> None:
    links = "identity_a,identity_b,seen_at,how,confidence\na,b,2025-01-01,login,0.5\na,a,2025-01-01,,\na,b,x,,2\n"
    assert counts(load(links, "links")) == (3, 1, 0, 2)
    assert counts(load(links, "links")) == (3, 0, 1, 2)
    rows = (
        "identity,decided_at,action,probability,allowed,cost\n"
        'a,2025-01-01,call,0.5,"[""call"", ""none""]",3\n' + "a,2025-01-01,call,,,3\n" * 2 + "a,2025-01-01,call,0,,\n"
        'a,2025-01-01,call,1.1,,\na,2025-01-01,call,1,"[""none""]",\n'
    )
    assert counts(load(rows, "decisions")) == (6, 3, 0, 3)
    assert counts(load(rows, "decisions")) == (6, 0, 3, 3)
    (first, *_) = [row for row in store.decision_rows() if row.allowed]
    assert (first.allowed, first.probability, first.properties) == (("call", "none"), 0.5, {"cost": 3})


@pytest.mark.parametrize("action", ["do_nothing", "control"])
def test_leaving_a_contact_alone_needs_not_be_among_what_was_allowed(load: Load, action: str) -> None:
    rows = f'identity,decided_at,action,allowed\na,2025-01-01,{action},"[""call""]"\n'
    assert counts(load(rows, "decisions")) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("accounts", {"account": "a", "name": "Acme", "size": "5"}),
        (
            "partners",
            {"partner": "p", "topics": '["pumps"]', "capacity": "3", "agreement_from": "2030-01-01"},
        ),
        ("products", {"product_id": "p", "topic": "pumps", "margin": "0.3"}),
        ("assets", {"asset_id": "a", "account": "x", "next_service_on": "2030-01-01"}),
        ("events", {"event_id": "e", "starts_at": "2030-01-01", "topics": "[]"}),
        ("content", {"content_id": "c", "title": "t", "topics": '["pumps"]', "tone": "plain"}),
    ],
)
def test_the_other_tables_are_kept_and_repeat(store: Store, load: Load, table: str, row: dict[str, str]) -> None:
    content = json.dumps(row) + "\n{}\n"
    assert counts(load(content, table, "a.jsonl")) == (2, 1, 0, 1)
    assert counts(load(content, table, "a.jsonl")) == (2, 0, 1, 1)
    (found,) = store.record_rows(table)
    assert found.key == next(iter(row.values()))
    assert found.known_at == ALWAYS


def test_a_retry_stores_what_is_right_by_now_as_a_load_would(store: Store, load: Load) -> None:
    rows = "identity,occurred_at,kind,value,currency\n" + "a,2025-01-01,order,5,SEK\n" * 2 + ",2025-01-01,x,,\nbroken\n"
    assert counts(load(rows)) == (4, 0, 0, 4)
    assert counts(retry_quarantine(store, now_us=NOW, rules=TouchpointRules())) == (4, 0, 0, 4)
    mended = TouchpointRules(rates={"SEK": 0.1})
    assert counts(retry_quarantine(store, now_us=NOW, rules=mended)) == (4, 2, 0, 2)
    assert counts(load(rows, rules=mended)) == (4, 0, 2, 2)
    assert store.counts()["quarantined"] == 2


def test_a_failure_while_writing_leaves_nothing(store: Store, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Loading, "quarantine", lambda self, rows: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load(mixed_file(10, 1, 0))
    assert store.counts()["touchpoints"] == 0
