"""`nba evaluate log` reads what people have, judges it, and names what is wrong by row and column."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from nba.cli import main

ROWS = [
    {"action": "ab"[n % 2], "probability": 0.5, "reward": int(n % 3 == 0), "target": 0.8 if n % 2 else 0.2}
    for n in range(1200)
]
CONTRACT = [
    "n",
    "ips",
    "snips",
    "dr",
    "interval",
    "ess",
    "max_weight",
    "mean_weight",
    "clipped",
    "verdict",
    "why",
]


def csv_text(rows: list[dict[str, Any]]) -> str:
    return "\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]) + "\n"


def evaluate(capsys: pytest.CaptureFixture[str], *args: object) -> dict[str, Any]:
    assert main(["evaluate", "log", *map(str, args), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def complaint(capsys: pytest.CaptureFixture[str], *args: object) -> str:
    assert main(["evaluate", "log", *map(str, args)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
def test_every_kind_of_file_is_read(suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / f"log.{suffix}"
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    text = csv_text(ROWS) if "csv" in suffix else lines
    if suffix == "parquet":
        parquet.write_table(pa.Table.from_pylist(ROWS), file)
    else:
        file.write_bytes(gzip.compress(text.encode()) if suffix.endswith("gz") else text.encode())
    found = evaluate(capsys, file)
    assert list(found) == CONTRACT
    assert found["snips"] == pytest.approx(1 / 3, abs=1e-9) and found["verdict"] == "ok"


def test_a_refused_log_is_printed_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "log.csv"
    file.write_text("action,probability,reward,target\n")
    found = evaluate(capsys, file)
    assert found["n"] == 0 and found["verdict"] == "refused" and found["snips"] is None and found["interval"] is None


def test_clip_cluster_and_estimates_are_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{**row, "estimate_logged": 0.3, "estimate_target": 0.4, "cluster": n // 4} for n, row in enumerate(ROWS)]
    file = tmp_path / "log.csv"
    file.write_text(csv_text(rows))
    found = evaluate(capsys, file, "--clip", "1")
    assert found["clipped"] == 600 and found["max_weight"] == 1.0
    assert found["interval"][0] < found["dr"] < found["interval"][1]


def test_people_read_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "log.csv"
    file.write_text(csv_text(ROWS))
    assert main(["evaluate", "log", str(file)]) == 0
    said = capsys.readouterr().out
    assert "snips" in said and "95 % interval of snips" in said and "verdict: ok" in said


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("probability", "0", "above 0"),
        ("probability", "1.5", "above 0"),
        ("probability", "", "is empty"),
        ("probability", "1e-320", "above 0"),
        ("reward", "nan", "finite"),
        ("reward", "much", "finite"),
        ("target", "-0.1", "from 0 to 1"),
        ("action", "", "name the action"),
    ],
)
def test_a_bad_value_is_named_by_row_and_column(
    column: str, value: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[dict[str, Any]] = [dict(row) for row in ROWS[:10]]
    rows[6][column] = value
    file = tmp_path / "log.csv"
    file.write_text(csv_text(rows))
    said = complaint(capsys, file)
    assert f"row 7, column {column}: " in said and words in said


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("log.csv", b"action,probability\na,1\n", "reward, target"),
        ("log.csv", b"", "lacks the columns"),
        ("log.csv", b"action,probability,reward,target,estimate_logged\n", "without estimate_target"),
        ("log.csv", b"action,probability,reward,target,target\n", "twice"),
        ("log.csv", b"action,probability,reward,target\na,1,0\n", "row 1: has 3 fields"),
        ("log.csv", b"action,probability,reward,target\n\xff,1,0,1\n", "UTF-8"),
        ("log.xlsx", b"", ".parquet"),
        ("log.parquet", b"nonsense", "not a Parquet file"),
        ("log.jsonl", b'{"action": \n', "line 1: is not JSON"),
        ("log.jsonl", b"[1]\n", "line 1: is not an object"),
        ("log.csv.gz", b"nonsense", "not gzip"),
        ("log.csv.gz", gzip.compress(b"action,probability" * 99, mtime=0)[:30], "cut off"),
        ("log.csv.gz", gzip.compress(b"action", mtime=0)[:10] + b"\xff" * 20, "not gzip"),
        (
            "log.jsonl",
            b'{"action": "a", "probability": true, "reward": 1, "target": 1}',
            "column probability",
        ),
    ],
)
def test_a_bad_file_is_one_sentence(
    name: str, content: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    said = complaint(capsys, file)
    assert words in said and str(file) in said and said.count("\n") == 1


def test_many_faults_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "log.csv"
    file.write_text("action,probability,reward,target\n" + "a,2,0,1\n" * 30)
    said = complaint(capsys, file)
    assert said.count("\n") == 11 and "and 20 more faults" in said


def test_an_absent_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "absent.csv" in complaint(capsys, "absent.csv")


def test_a_weight_that_is_none_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "log", "x.csv", "--clip", "0"]) == 2
    assert "above 0" in capsys.readouterr().err
