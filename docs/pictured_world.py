"""Makes the world that pictures of the pages show: some hundred people of made-up firms, scored week by week."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from training.world.files import write_files
from training.world.world import world

AS_OF = "2024-10-26T08:00:00Z"
"""The moment that the pictures show; the world ends a little before it."""
_SCORED = ("2024-09-28", "2024-10-05", "2024-10-12", "2024-10-19", "2024-10-26")
_CONTACTS, _DAYS = 1_500, 300
_FIRST = (
    "Anna Beat Carla Dario Eva Felix Gina Hugo Ines Jonas Karin Luca Mara Nico Olga Paul Rosa Sven Tina Urs Vera Yara"
).split()
_LAST = (
    "Meier Rossi Keller Huber Favre Novak Brunner Lang Schmid Weber Baumann Frei Graf Kunz Moser Roth Suter Vogel Wyss"
).split()
_TOWNS = "Aarau Basel Chur Davos Freiburg Genf Luzern Olten Sion Thun Uster Zug".split()
_REPLACED = (
    ("[actions.sales_call]\nchannel = \"phone\"\ncost = 2.0\n", "[actions.sales_call]\nchannel = \"phone\"\n"
     'executor = "sales"\ncost = 2.0\nvalue = 400.0\ncapacity = { per = "1d", count = 60 }\n'),
    ("[actions.demo_invitation]\nchannel = \"letter\"\n", "[actions.demo_invitation]\nchannel = \"letter\"\n"
     'executor = "partner"\n'),
    ("below = 100", "below = 1200"),
    ("from = 100", "from = 1200"),
)  # fmt: skip
_ADDED = """
[actions.check_back]
channel = "phone"
executor = "sales"
cost = 4.0
goal = "churn"

[segments.interested_in_pumps]
topics = ["pumps"]
[segments.very_active]
points_from = 1500
[segments.likely_to_buy]
propensity_from = 0.12

[contact_policy]
timezone = "Europe/Zurich"
caps = [{ channel = "phone", per = "14d", count = 2 }, { per = "7d", count = 4 }]
"""

Row = Mapping[str, str]


def make(folder: Path) -> None:
    """Write files of the world, load them, train, and count everything that pages show; some minutes."""
    paths = write_files(world(_CONTACTS, seed=7, days=_DAYS, n_actions=5), folder)
    settings = folder / "nba.toml"
    text = settings.read_text(encoding="utf-8")
    for old, new in _REPLACED:
        if old not in text:
            raise SystemExit(f"the settings of the world no longer have {old!r}; mend {Path(__file__).name}")
        text = text.replace(old, new)
    settings.write_text(text + _ADDED, encoding="utf-8")
    drawn = random.Random(3)
    _rewrite(paths["contacts"], lambda row: _person(row, drawn))
    _rewrite(
        paths["accounts"], lambda row: {"name": f"{drawn.choice(_LAST)} {drawn.choice(('AG', 'GmbH', 'Technik AG'))}"}
    )
    _rewrite(paths["partners"], lambda row: {"name": f"Pumpen {_TOWNS[int(row['partner'][-3:]) % len(_TOWNS)]}"})
    for table in ("accounts", "partners", "contacts", "links", "decisions", "touchpoints"):
        nba(folder, "load", table, str(paths[table]))
    nba(folder, "train", "run", "--as-of", AS_OF)
    for day in _SCORED:
        nba(folder, "score", "--as-of", f"{day}T04:00:00Z", "--out", str(folder / "scores.parquet"))
    nba(folder, "pipeline", "--as-of", AS_OF)
    nba(folder, "forecast", "--as-of", AS_OF, "--horizon", "30d", "--by", "topic,owner,partner")
    nba(folder, "points", "check", "--keep", "--as-of", AS_OF)
    nba(folder, "evaluate", "counts", "--keep", "--as-of", AS_OF)
    nba(folder, "evaluate", "daily", "--keep", "--as-of", AS_OF)


def nba(folder: Path, *arguments: str) -> str:
    """Run a command in a folder; what it says."""
    sys.stderr.write(f"nba {' '.join(arguments)}\n")
    done = subprocess.run(
        [sys.executable, "-m", "nba.cli", "--config", str(folder / "nba.toml"), *arguments], cwd=folder,
        capture_output=True, text=True, env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"nba {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def _rewrite(path: Path, more: Callable[[Row], Row]) -> None:
    """Put columns into a file, or other values into those that are there."""
    with path.open(newline="", encoding="utf-8") as source:
        rows = [{**row, **more(row)} for row in csv.DictReader(source)]
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _person(row: Row, drawn: random.Random) -> Row:
    name, number = f"{drawn.choice(_FIRST)} {drawn.choice(_LAST)}", int(row["identity"].rpartition(":")[2])
    return {
        "name": name,
        "email": f"{name.lower().replace(' ', '.')}@example.com",
        "phone": f"+41 44 555 {number // 100 % 100:02d} {number % 100:02d}",
        "owner": ("jane", "tom", "lea")[number % 3],
        "crm_url": f"https://crm.example/contact/{number}",
    }
