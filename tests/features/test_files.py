import csv
import gzip
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.files import csv_files as files_csv
from features.files import files
from features.files.files import Fault, LoadError, Source, open_rows


def rows_of(path: Path) -> tuple[list[dict[str, object]], list[Fault], list[str]]:
    rows: list[dict[str, object]] = []
    faults: list[Fault] = []
    with files.reading(path), Source(path) as source:
        file = open_rows(source)
        for chunk in file.chunks():
            rows += [{name: values[i] for name, values in chunk.columns.items()} for i in range(chunk.n)]
            faults += chunk.faults
            assert all(len(values) == chunk.n for values in chunk.columns.values())
    return rows, faults, file.notes


def file(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.CSV", "a.csv.gz"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_of_every_dialect(tmp_path: Path, name: str, delimiter: str, end: str, mark: str) -> None:
    text = mark + end.join(['a|b b|"c"', '1|"x|""y"" é"|3', "", '4|"5\n5"|6', ""]).replace("|", delimiter)
    rows, faults, notes = rows_of(file(tmp_path, text, name))
    assert rows == [
        {"a": "1", "b b": f'x{delimiter}"y" é', "c": "3"},
        {"a": "4", "b b": "5\n5", "c": "6"},
    ]
    assert faults == []
    assert bool(notes) == (delimiter != ",")


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(['"', "\n", '"\n,"', "\r", ","])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(cells, cells.filter(bool)), max_size=30), st.integers(1, 60))
def test_what_a_writer_wrote_is_read(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str]], block: int
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("one", "two"), *table])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files_csv, "CHUNK_BYTES", block)
        patch.setattr(files_csv, "CHUNK_ROWS", 7)
        rows, faults, _ = rows_of(file(tmp_path_factory.mktemp("csv"), text.getvalue()))
    assert faults == []
    assert [(row["one"], row["two"]) for row in rows] == table


@pytest.mark.parametrize(
    ("broken", "lines"),
    [
        ("x,y\n", [3]),
        ("x,y,z,w\n", [3]),
        ('"x,y,z\n', [3]),
        ('x,"y,z\n', [3]),
        ('x,y,"z\n', [3]),
        ('x,"y"y,z\n', [3]),
        ('x,"y\ny",z,w\n', [3]),
        ('"x,y,z\nx,y\n', [3, 4]),
        ('"\n', [3]),
    ],
)
@pytest.mark.parametrize("block", [1, 10, 2**20])
def test_a_broken_line_spoils_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, lines: list[int], block: int
) -> None:
    monkeypatch.setattr(files_csv, "CHUNK_BYTES", block)
    good = '1,"2 ""and""",3\n'
    rows, faults, _ = rows_of(file(tmp_path, "a,b,c\n" + good + broken + good * 3 + "4,5,6\n"))
    assert len(rows) == 5
    assert [fault.line for fault in faults] == lines
    assert rows[-1] == {"a": "4", "b": "5", "c": "6"}


def test_a_quote_that_is_never_closed_does_not_read_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_csv, "_LONGEST_RECORD", 200)
    rows, faults, _ = rows_of(file(tmp_path, 'a,b\n"1,2\n' + "3,4\n" * 1000))
    assert (len(rows), [fault.line for fault in faults]) == (1000, [2])


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("", "a.csv", "empty"),
        ("\n\n", "a.csv", "empty"),
        ("a,b,a\n", "a.csv", "'a' more than once"),
        ("a,b\n1,2\n".encode("utf-16"), "a.csv", "UTF-16"),
        ("ä,b\n".encode("latin-1"), "a.csv", "UTF-8"),
        ("[{}]", "a.jsonl", "JSON array"),
        ("PAR1", "a.parquet", "not a Parquet file"),
        ("a,b", "a.xlsx", "rename it"),
        ("a,b", "a", "rename it"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole(tmp_path: Path, content: str | bytes, name: str, said: str) -> None:
    with pytest.raises(LoadError, match=said):
        rows_of(file(tmp_path, content, name))


def test_gzip_that_is_cut_or_is_none(tmp_path: Path) -> None:
    path = file(tmp_path, "a,b\n" + "1,2\n" * 100_000, "a.csv.gz")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(LoadError, match="gzip"):
        rows_of(path)
    path.write_text("a,b\n")
    with pytest.raises(LoadError, match="gzip"):
        rows_of(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "b.csv").mkdir()
    for name in ("a.csv", "b.csv"):
        with pytest.raises(LoadError, match=name):
            rows_of(tmp_path / name)


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 2**20)
    with pytest.raises(LoadError, match="line of more than 1 MiB"):
        rows_of(file(tmp_path, b"{" + b" " * 2**23, "a.jsonl.gz"))


def test_json_lines_with_bad_lines(tmp_path: Path) -> None:
    text = '{"a": 1}\n\n{"a": NaN}\n[1]\n{"b": "\\ud800"}\n{"b": [1, {"c": null}]}'
    rows, faults, _ = rows_of(file(tmp_path, "\ufeff" + text, "a.ndjson"))
    assert rows == [{"a": 1, "b": None}, {"a": None, "b": [1, {"c": None}]}]
    assert [fault.line for fault in faults] == [3, 4, 5]
    rows, faults, _ = rows_of(file(tmp_path, b'{"a": 1}\n{"a": "\xfc"}\n', "a.jsonl"))
    assert (len(rows), [fault.line for fault in faults]) == (1, [2])
    assert json.dumps(faults[0].raw) == '"{\\"a\\": \\"\\udcfc\\"}"'


def test_parquet_of_every_type(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    moment = datetime(2025, 1, 2, 3, 4, 5, 6)
    table = pa.table(
        {
            "text": pa.array(["ä", None]),
            "category": pa.array(["x", "y"]).dictionary_encode(),
            "whole": pa.array([4711, None], pa.int64()),
            "float": pa.array([1.5, float("nan")]),
            "decimal": pa.array([Decimal("1.50"), None]),
            "naive": pa.array([moment, None], pa.timestamp("us")),
            "aware": pa.array([moment, None], pa.timestamp("ns", "Europe/Zurich")),
            "day": pa.array([date(2025, 1, 2), None]),
            "list": pa.array([["a", "b"], None]),
            "bytes": pa.array([b"b\xfc", None]),
            "beyond": pa.array([2**62, None], pa.int64()).cast(pa.timestamp("us")),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    rows, faults, _ = rows_of(tmp_path / "a.parquet")
    assert faults == []
    first, second = rows
    assert first == {
        "text": "ä",
        "category": "x",
        "whole": 4711,
        "float": 1.5,
        "decimal": 1.5,
        "naive": moment,
        "aware": moment.replace(tzinfo=UTC),
        "day": "2025-01-02",
        "list": ["a", "b"],
        "bytes": "b\udcfc",
        "beyond": str(2**62),
    }
    assert {name: value for name, value in second.items() if value is not None} == {"category": "y"}
