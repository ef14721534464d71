"""A shop with names, a champion and scores, and a small world of dealers, served for a browser."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from features.store.store import Store
from features.times import iso
from nba.cli import main
from nba.door import now_us
from serving.issuing import Rights, issue
from serving.process import ServerProcess
from tests.journeys.conftest import SETTINGS, touchpoints
from tests.journeys.dealt import Dealt

CONTACTS = 200
MORNING = "2025-12-29T08:00:00Z"
"""A Monday on which somebody works off the list."""
SCOPES = ("read", "recommend", "feedback", "ingest", "admin")
_MORE = """
[segments.callers]
points_from = 250
"""


class Served(NamedTuple):
    """A service as a browser finds it.

    Attributes
    ----------
    key
        Signs somebody in who may do everything.
    contact, sought
        Somebody whom its pages know, and the name to look for.
    account
        Of a company; empty where there is none.
    """

    store: Store
    address: str
    key: str
    contact: str
    sought: str
    account: str = ""


def nba(folder: Path, *words: str) -> None:
    """Run a command that ends well."""
    assert main(["--config", str(folder / "nba.toml"), *words]) == 0, words


def people() -> Iterator[dict[str, str]]:
    """Who the contacts of the shop are."""
    for i in range(CONTACTS):
        yield {
            "identity": f"crm:{i}", "name": f"Ada Muster{i:03}", "email": f"ada{i}@example.com",
            "phone": f"+41 44 000 {i:04}", "owner": ("jane", "tom")[i % 2], "account": f"account:{i // 4}",
            "role": ("user", "decision maker", "purchasing")[i % 3],
        }  # fmt: skip


def made_shop(folder: Path, empty_mlflow: Path) -> None:
    """Load a year of a shop, learn from it, score everybody and count."""
    shutil.copy(empty_mlflow, folder / "mlflow.db")
    (folder / "nba.toml").write_text(SETTINGS + _MORE)
    with (folder / "touchpoints.csv").open("w", newline="") as file:
        head = ["identity", "occurred_at", "kind", "channel", "topic", "value"]
        csv.writer(file).writerows([head, *touchpoints(CONTACTS)])
    companies = [{"account": f"account:{i}", "name": f"Muster {i} AG"} for i in range(CONTACTS // 4)]
    for table, rows in (("contacts", list(people())), ("accounts", companies)):
        (folder / f"{table}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
        nba(folder, "load", table, str(folder / f"{table}.jsonl"))
    nba(folder, "load", "touchpoints", str(folder / "touchpoints.csv"))
    nba(folder, "train", "run")
    nba(folder, "score", "--as-of", "2025-12-29T03:00:00Z", "--out", str(folder / "scores.parquet"))


@contextmanager
def served(folder: Path, as_of: str, *known: str) -> Iterator[Served]:
    """Serve a folder as of a moment."""
    with Store.open(f"sqlite:///{folder}/nba.db") as store:
        key = issue(store, Rights(name="ann", scopes=SCOPES), by="test", now_us=now_us()).key
        with ServerProcess(folder / "nba.toml", options=("--as-of", as_of)) as server:
            yield Served(store, server.address, key, *known)


@contextmanager
def dealers_served(folder: Path) -> Iterator[Served]:
    """Serve a world of dealers whose owner sees each contact."""
    dealt = Dealt(folder, '[partners]\nmode = "direct"\nvisible_to_owner = "contact"\n', days=30, leads_a_day=2.5)
    nba(folder, "score", "--as-of", iso(dealt.now), "--out", str(folder / "scores.parquet"))
    contact = dealt.own[0]
    with served(folder, iso(dealt.now), contact, str(dealt.pasts[contact].traits["name"])) as found:
        yield found
