"""The same features by DuckDB, Polars and pandas, each as its users would write them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.wanted import CHANNELS, KINDS, LOG, TOPICS, WANTED, Arrays, Figures, name_of, peak_mb


def _asked(data: Arrays) -> dict[str, Any]:
    return {"row": np.arange(len(data["row_as_of"])), "contact": data["row_contact"], "as_of": data["row_as_of"]}


def duckdb(data: Arrays, folder: Path, threads: int) -> tuple[Figures, NDArray[np.float32]]:
    """By one join and one aggregation in SQL, over tables in its memory."""
    import pyarrow as pa

    db = _duckdb(threads)
    db.register("given", pa.table({name: data[name] for name in LOG}))
    db.register("given_rows", pa.table(_asked(data)))
    db.execute("CREATE TABLE ev AS SELECT * FROM given; CREATE TABLE asked AS SELECT * FROM given_rows")
    return _select(db, "ev")


def duckdb_lake(data: Arrays, folder: Path, threads: int) -> tuple[Figures, NDArray[np.float32]]:
    """By the same SQL over the lake's Parquet files, which it reads in the same statement."""
    import pyarrow as pa

    db = _duckdb(threads)
    names = np.array([name_of(code) for code in range(int(data["n_contacts"]))], dtype=object)
    db.register("given_rows", pa.table({**_asked(data), "contact": pa.array(names[data["row_contact"]])}))
    db.execute("CREATE TABLE asked AS SELECT * FROM given_rows")
    files = json.loads((folder / "lake-files.json").read_text())
    coded = ", ".join(
        f"CASE {text} {' '.join(f'WHEN {name!r} THEN {code}' for code, name in enumerate(names))} END AS {column}"
        for column, text, names in (
            ("kind", "kind", KINDS),
            ("channel", "channel", CHANNELS),
            ("topic", "topics[1]", TOPICS),
        )
    )
    return _select(
        db,
        f"(SELECT identity AS contact, epoch_us(occurred_at) AS ts, value, {coded} "
        f"FROM read_parquet({files!r}, hive_partitioning = false))",
    )


def _duckdb(threads: int) -> Any:
    import duckdb as engine

    db = engine.connect()
    if threads:
        db.execute(f"SET threads = {threads}")
    return db


def _select(db: Any, events: str) -> tuple[Figures, NDArray[np.float32]]:
    columns = ", ".join(f'{wanted.sql()} AS "{wanted.name}"' for wanted in WANTED)
    sql = (
        f"WITH e AS (SELECT *, ts - lag(ts) OVER (PARTITION BY contact ORDER BY ts) AS gap FROM {events}) "
        f"SELECT {columns} FROM asked r LEFT JOIN e ON e.contact = r.contact AND e.ts < r.as_of "
        "GROUP BY r.row ORDER BY r.row"
    )
    began = time.perf_counter()
    table = db.execute(sql).fetchnumpy()
    done, peak = time.perf_counter(), peak_mb()
    found = [np.ma.filled(np.ma.asarray(table[wanted.name]).astype(np.float32), np.nan) for wanted in WANTED]
    return {"seconds": done - began, "peak_mb": peak}, np.column_stack(found)


def polars(data: Arrays, folder: Path, threads: int) -> tuple[Figures, NDArray[np.float32]]:
    """By a lazy join and group_by on the streaming engine; POLARS_MAX_THREADS is set by who starts the process."""
    import polars as pl

    events = pl.DataFrame({name: data[name] for name in LOG})
    asked = pl.DataFrame(_asked(data))
    began = time.perf_counter()
    query = (
        events.lazy()
        .sort("contact", "ts")
        .with_columns(gap=pl.col("ts").diff().over("contact"))
        .join(asked.lazy(), on="contact")
        .filter(pl.col("ts") < pl.col("as_of"))
        .with_columns(age=pl.col("as_of") - pl.col("ts"))
        .group_by("row")
        .agg([wanted.polars(pl).alias(wanted.name) for wanted in WANTED])
    )
    found = asked.lazy().select("row").join(query, on="row", how="left").sort("row").collect(engine="streaming")
    done, peak = time.perf_counter(), peak_mb()
    columns = [found[wanted.name].cast(pl.Float64).fill_null(wanted.absent).to_numpy() for wanted in WANTED]
    return {"seconds": done - began, "peak_mb": peak}, np.column_stack(columns).astype(np.float32)


def pandas(data: Arrays, folder: Path, threads: int) -> tuple[Figures, NDArray[np.float32]]:
    """By a merge and groupby over masked columns; it has one thread."""
    import pandas as pd

    events = pd.DataFrame({name: data[name] for name in LOG})
    asked = pd.DataFrame(_asked(data))
    began = time.perf_counter()
    events = events.sort_values(["contact", "ts"])
    events["gap"] = events.groupby("contact")["ts"].diff()
    joined = events.merge(asked, on="contact")
    joined = joined[joined["ts"] < joined["as_of"]]
    joined["age"] = joined["as_of"] - joined["ts"]
    by_row = joined.groupby("row", sort=True)
    rows = pd.RangeIndex(len(asked))
    found = [wanted.pandas(joined, by_row).reindex(rows).fillna(wanted.absent) for wanted in WANTED]
    done, peak = time.perf_counter(), peak_mb()
    return {"seconds": done - began, "peak_mb": peak}, np.column_stack(
        [column.to_numpy(dtype=np.float32) for column in found]
    )
