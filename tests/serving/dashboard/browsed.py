"""A shop with names, a champion and scores, and a small world of dealers, served for a browser."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


@dataclass
class Served:
    """A service as a browser finds it.

    Attributes
    ----------
    key
        Signs somebody in who may do everything.
    as_of
        Where its clock began.
    contact, sought
        Somebody whom its pages know, and the name to look for.
    account
        Of a company; empty where there is none.
    """

    store: Store
    folder: Path
    address: str
    key: str
    as_of: str
    contact: str
    sought: str
    account: str = ""
    compared: dict[str, Any] = field(default_factory=dict)

    @property
    def later(self) -> str:
        """A day a week from then."""
        return (dt.datetime.fromisoformat(self.as_of) + dt.timedelta(days=7)).date().isoformat()

    def told(self, contact: str) -> list[tuple[str, str | None, int | None]]:
        """What was told of a contact, as it stands in the store: outcome, reason, until when."""
        asked = "SELECT outcome, reason, until FROM outcomes JOIN decisions USING (decision_id) WHERE identity = ?"
        return [(row[0], row[1], row[2]) for row in self.store._all(f"{asked} ORDER BY received_at", (contact,))]

    def outcomes(self) -> list[str]:
        """What was told of anybody."""
        return sorted(row[0] for row in self.store._all("SELECT outcome FROM outcomes"))

    def whatif(self, changes: Mapping[str, str]) -> Any:
        """What the command says that other settings would change, up to the same moment; asked once."""
        sets = [word for key, value in sorted(changes.items()) for word in ("--set", f"{key}={value}")]
        if str(sets) not in self.compared:
            command = [sys.executable, "-m", "nba.cli", "--config", str(self.folder / "nba.toml"), "whatif", *sets]
            done = subprocess.run([*command, "--as-of", self.as_of, "--json"], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            self.compared[str(sets)] = json.loads(done.stdout)
        return self.compared[str(sets)]


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
def served(folder: Path, as_of: str, *known: Any) -> Iterator[Served]:
    """Serve a folder as of a moment."""
    with Store.open(f"sqlite:///{folder}/nba.db") as store:
        key = issue(store, Rights(name="ann", scopes=SCOPES), by="test", now_us=now_us()).key
        with ServerProcess(folder / "nba.toml", options=("--as-of", as_of)) as server:
            yield Served(store, folder, server.address, key, as_of, *known)


@contextmanager
def dealers_served(folder: Path) -> Iterator[Served]:
    """Serve a world of dealers whose owner sees each contact."""
    dealt = Dealt(folder, '[partners]\nmode = "direct"\nvisible_to_owner = "contact"\n', days=30, leads_a_day=2.5)
    nba(folder, "score", "--as-of", iso(dealt.now), "--out", str(folder / "scores.parquet"))
    contact = dealt.own[0]
    with served(folder, iso(dealt.now), contact, str(dealt.pasts[contact].traits["name"])) as found:
        yield found
