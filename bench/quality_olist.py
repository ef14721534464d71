"""Olist: is a lead won, from what is known at first contact; and columns that only winners have."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bench.quality_run import Run, calibration, interval_of, judge, rules_of, run
from bench.quality_table import Found
from features.times import DAY
from training import metrics

TOML = """
[goals.won]
kinds = ["won"]
horizon = "30d"
value = 1
snapshots = { after = { kind = "first_contact" }, test_from = "2018-04-01" }
"""
NOTE = (
    "trained on 30 days, ranking judged on won within 90: with 90 days and a gap of a horizon before 2018-04-01 only "
    "13 won leads would be left to train on"
)


def olist(data: Path, folder: Path) -> list[Found]:
    """Figures of the leads, without and with the columns that only winners have."""
    known, winners = write_tables(data, folder)
    plain = run(folder / "plain", TOML, known)
    later = judge(plain, "won", 90 * DAY)
    found = plain.report["goals"]["won"]["metrics"]
    interval = metrics.auc_interval(later.label, later.predicted, later.cluster)
    area = metrics.auc(later.label, later.predicted) or 0.0
    return [
        Found("Olist, won within 90 days, AUC", area, interval, "landing page .68", 0.67, 0.70, NOTE),
        Found("Olist, won within 30 days, AUC", found["model"]["auc"], interval_of(found["model"]), rules_of(found)),
        *calibration("Olist, won within 30 days", judge(plain, "won")),
        *_leaks(plain, run(folder / "leaking", TOML, [*known, winners]), winners[1]),
    ]


def _leaks(plain: Run, leaking: Run, path: Path) -> list[Found]:
    columns = [name for name in pd.read_parquet(path).columns if name != "identity"]
    warnings = leaking.report["goals"]["won"]["warnings"]
    named = [name for name in columns if any(f"trait {name!r}" in words for words in warnings)]
    clean, reported = (each.report["goals"]["won"]["metrics"]["model"] for each in (plain, leaking))
    missed = sorted(set(columns) - set(named))
    return [
        Found(
            "Olist, winners-only columns reported as leakage",
            len(named) / len(columns),
            None,
            "",
            1.0,
            None,
            f"{len(named)} of {len(columns)}" + (f"; not {', '.join(missed)}" if missed else ""),
        ),
        Found(
            "Olist, AUC reported with them less that without them",
            abs(reported["auc"] - clean["auc"]),
            None,
            "",
            0.005,
            None,
            f"{reported['auc']:.4f} and {clean['auc']:.4f}; empty columns still change which are drawn",
            is_most=True,
        ),
    ]


def write_tables(data: Path, folder: Path) -> tuple[list[tuple[str, Path]], tuple[str, Path]]:
    """Write what is known at first contact with what came of it, and apart the columns that only winners have."""
    folder.mkdir(parents=True, exist_ok=True)
    leads = pd.read_csv(data / "olist_leads.csv.gz", parse_dates=["first_contact_date"])
    deals = pd.read_csv(data / "olist_closed_deals.csv.gz", parse_dates=["won_date"])
    day = leads["first_contact_date"]
    contacts = pd.DataFrame(
        {
            "identity": leads["mql_id"],
            "known_at": day,
            "landing_page": leads["landing_page_id"],
            "origin": leads["origin"],
        }
    )
    # Only the day is on record. Nothing was won before December 2017: earlier leads are kept under another kind.
    first = pd.DataFrame(
        {
            "identity": leads["mql_id"],
            "occurred_at": day + pd.Timedelta(seconds=1),
            "kind": ["first_contact" if late else "first_contact_2017" for late in day >= "2018-01-01"],
            "channel": leads["origin"],
            "direction": "inbound",
        }
    )
    won = pd.DataFrame({"identity": deals["mql_id"], "occurred_at": deals["won_date"], "kind": "won"})
    won = won.assign(direction="inbound")
    winners = deals.rename(columns={"mql_id": "identity"})
    named = {
        "contacts": contacts,
        "touchpoints": pd.concat([first, won], ignore_index=True),
        "winners": winners.assign(won_date=winners["won_date"].dt.strftime("%Y-%m-%d")),
    }
    paths = {name: folder / f"{name}.parquet" for name in named}
    for name, frame in named.items():
        frame.to_parquet(paths[name], index=False)
    known = [("contacts", paths["contacts"]), ("touchpoints", paths["touchpoints"])]
    return known, ("contacts", paths["winners"])
