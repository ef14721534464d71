"""A journey world put down: into a store, into files that ``nba load`` reads, and the settings that fit it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

import orjson

from features.rows.row_types import DecisionRow, RecordRow
from features.store.store import Store
from features.times import iso
from training.world.journey import JourneyWorld

Format = Literal["csv", "parquet", "jsonl"]
Row = TypeVar("Row")

_CHUNK = 50_000

_SETTINGS = """\
# Settings for a simulated world of journeys.
[store]
url = "sqlite:///nba.db"

[mlflow]
tracking_uri = "sqlite:///mlflow.db"

[goals.conversion]
kinds = ["order"]
horizon = "{window}d"

[goals.churn]
absence_of = ["order"]
horizon = "60d"
among = {{ seen = ["order"], within = "120d" }}

# The log acts for everybody, whether a dealer owns the relation or not.
[partners]
mode = "direct"
visible_to_owner = "contact"

[snapshots]
every = "14d"
test = 0.3

[points]
half_life = "30d"
thresholds = [{thresholds}]
[points.kinds]
page_view = 5
search = 10
newsletter_open = 5
download = 50
price_list = 60
contract_view = 60
quote_request = 100
demo_request = 120

[stages]
names = ["unaware", "need", "evaluate", "purchase", "use", "renew"]
[stages.rules]
purchase = {{ seen = ["order", "quote_request"], within = "10d" }}
renew = {{ seen = ["contract_view"], within = "10d" }}
use = {{ seen = ["service_search", "support_ticket"], within = "10d" }}
evaluate = {{ seen = ["price_list", "demo_request", "download"], within = "10d" }}
need = {{ seen = ["page_view", "newsletter_open", "search"], within = "21d" }}

{actions}
[ranking]
policy = "epsilon"
epsilon = 0.05
holdout = 0.0
"""


def write_store(world: JourneyWorld, store: Store) -> None:
    """Put everything into a store that has none of it, in one go."""
    with store.loading() as loading:
        for rows in _chunks(world.touchpoint_rows()):
            loading.touchpoints(rows)
        loading.settle()
        loading.contacts(world.contacts)
        loading.links(world.links)
        loading.records("accounts", world.accounts)
        loading.records("partners", world.partners)
        for decisions in _chunks(world.decision_rows()):
            loading.decisions(decisions)


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def write_files(world: JourneyWorld, folder: Path, form: Format = "csv") -> dict[str, Path]:
    """Write a file for each table that ``nba load`` takes, and ``nba.toml``; the path of each table's file.

    Files have no column for the action of a touchpoint of ours; its decision names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nba.toml").write_text(settings_text(world), encoding="utf-8")
    paths = {}
    for table, rows in _tables(world).items():
        paths[table] = folder / f"{table}.{form}"
        _WRITERS[form](paths[table], rows)
    return paths


def settings_text(world: JourneyWorld) -> str:
    """Text of an ``nba.toml`` whose goals, stages and actions are those of the world."""
    actions = ""
    for lever in world.levers:
        actions += f'[actions.{lever.name}]\nchannel = "{lever.channel}"\ncost = {lever.cost}\n'
        actions += "" if lever.topic is None else f'topics = ["{world.topic_of(lever)}"]\n'
        actions += "\n"
    first, *more = (lever.name for lever in world.levers)
    thresholds = [f'{{ from = 100, actions = ["{first}"] }}']
    if more:
        thresholds.insert(0, f'{{ below = 100, actions = ["{more[0]}"] }}')
    return _SETTINGS.format(window=world.truth.window_days, actions=actions, thresholds=", ".join(thresholds))


def _tables(world: JourneyWorld) -> dict[str, Iterator[Mapping[str, Any]]]:
    return {
        "touchpoints": _touchpoints(world),
        "contacts": _records("identity", world.contacts),
        "links": (
            {
                "identity_a": row.identity_a,
                "identity_b": row.identity_b,
                "seen_at": iso(row.seen_at),
                "how": row.how,
                "confidence": row.confidence,
            }
            for row in world.links
        ),
        "accounts": _records("account", world.accounts),
        "partners": _records("partner", world.partners),
        "decisions": (_decision(row) for row in world.decision_rows()),
    }


def _touchpoints(world: JourneyWorld) -> Iterator[Mapping[str, Any]]:
    for row in world.touchpoint_rows():
        told = {name: getattr(row, name) for name in _TOLD}
        yield told | {"occurred_at": iso(row.occurred_at)}


_TOLD = (
    "identity", "occurred_at", "touchpoint_id", "kind", "channel", "direction", "topics", "value", "duration",
    "decision_id", "source",
)  # fmt: skip


def _decision(row: DecisionRow) -> Mapping[str, Any]:
    return {
        "decision_id": row.decision_id,
        "identity": row.identity,
        "decided_at": iso(row.decided_at),
        "action": row.action,
        "probability": row.probability,
        "allowed": _json(row.allowed),
        "policy": row.policy,
        "topics": _json(row.topics),
    }


def _records(key: str, rows: Iterable[RecordRow]) -> Iterator[Mapping[str, Any]]:
    listed = list(rows)
    names = dict.fromkeys(name for row in listed for name in row.body)
    for row in listed:
        yield {key: row.key, "known_at": iso(row.known_at)} | {name: row.body.get(name) for name in names}


def _json(texts: Sequence[str] | None) -> str | None:
    return None if texts is None else orjson.dumps(texts).decode()


def _write_csv(path: Path, rows: Iterator[Mapping[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer: csv.DictWriter[str] | None = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(file, fieldnames=list(row))
                writer.writeheader()
            writer.writerow(row)


def _write_jsonl(path: Path, rows: Iterator[Mapping[str, Any]]) -> None:
    with path.open("wb") as file:
        for row in rows:
            said = {name: value for name, value in row.items() if value is not None}
            file.write(orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE))


def _write_parquet(path: Path, rows: Iterator[Mapping[str, Any]]) -> None:
    import pandas as pd

    pd.DataFrame.from_records(list(rows)).to_parquet(path, index=False)


_WRITERS = {"csv": _write_csv, "jsonl": _write_jsonl, "parquet": _write_parquet}
