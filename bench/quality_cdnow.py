"""CDNOW: who buys again in the 39 weeks after 1997-09-30, from what lies before, beside the BG/NBD model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import hyp2f1

from bench.quality_run import Judged, calibration, run
from bench.quality_table import Found
from features.loading.loading import silent
from training import metrics
from training.scoring import score_table

Floats = NDArray[np.float64]

CUT = pd.Timestamp("1997-10-01")
LONG, SHORT = pd.Timedelta(weeks=39), pd.Timedelta(weeks=8)
TOML = """
[touchpoints]
money = ["order"]
[goals.conversion]
kinds = ["order"]
horizon = "56d"
[snapshots]
every = "7d"
test_from = "1997-07-15"
"""
NOTE = "trained on 8 weeks at weekly snapshots before that day; judged on 39"


def cdnow(data: Path, folder: Path) -> list[Found]:
    """Figures of the sample of 2,357 customers."""
    orders = read_orders(data / "cdnow_sample.txt.gz")
    folder.mkdir(parents=True, exist_ok=True)
    orders.assign(kind="order", direction="inbound").to_parquet(folder / "orders.parquet", index=False)
    now = CUT.value // 1000
    trained = run(folder / "run", TOML, [("touchpoints", folder / "orders.parquet")], now)
    with silent("contacts", 0) as shown:
        scores = score_table(trained.past(now), trained.settings, trained.belief(), advance=shown.advance).to_pandas()
    predicted = scores["p_conversion"].to_numpy(np.float64)
    long, short = (bought(orders, scores["contact_id"], span) for span in (LONG, SHORT))
    expected = bg_nbd(orders, scores["contact_id"])
    own = metrics.auc_interval(long, predicted)
    return [
        Found(
            "CDNOW, any purchase in 39 weeks, AUC",
            metrics.auc(long, predicted) or 0.0,
            own,
            f"BG/NBD {metrics.auc(long, expected):.4f}",
            0.770,
            0.785,
            NOTE,
        ),
        Found("CDNOW, any purchase in 8 weeks, AUC", metrics.auc(short, predicted) or 0.0),
        *calibration("CDNOW, any purchase in 8 weeks", Judged(short, predicted, np.arange(len(short)))),
    ]


def read_orders(path: Path) -> pd.DataFrame:
    """Read one order per customer and day: who, when, what it was worth."""
    names = ["master", "identity", "day", "cds", "value"]
    lines = pd.read_csv(path, sep=r"\s+", header=None, names=names, dtype={"identity": str, "day": str})
    by_day = lines.groupby(["identity", "day"], as_index=False)["value"].sum()
    orders: pd.DataFrame = by_day.assign(occurred_at=pd.to_datetime(by_day["day"])).drop(columns="day")
    return orders


def bought(orders: pd.DataFrame, contacts: pd.Series, span: pd.Timedelta) -> NDArray[np.bool_]:
    """Whether each contact ordered in ``[CUT, CUT + span)``."""
    inside = (orders["occurred_at"] >= CUT) & (orders["occurred_at"] < CUT + span)
    flags: NDArray[np.bool_] = contacts.isin(orders.loc[inside, "identity"]).to_numpy()
    return flags


def bg_nbd(
    orders: pd.DataFrame,
    contacts: pd.Series,
    r: float = 0.243,
    alpha: float = 4.414,
    a: float = 0.793,
    b: float = 2.426,
) -> Floats:
    """Expect orders of each contact in the 39 weeks by the BG/NBD model with its published parameters.

    Fader, Hardie & Lee (2005, Marketing Science 24, 275-284), equation 10; weeks, and one order a day.
    """
    before = orders[orders["occurred_at"] < CUT].groupby("identity")["occurred_at"].agg(["min", "max", "count"])
    known = before.loc[contacts]
    x = known["count"].to_numpy(np.float64) - 1.0
    last = (known["max"] - known["min"]).dt.days.to_numpy(np.float64) / 7.0
    age = ((CUT - pd.Timedelta(days=1)) - known["min"]).dt.days.to_numpy(np.float64) / 7.0
    t = LONG.days / 7.0
    ratio = ((alpha + age) / (alpha + age + t)) ** (r + x)
    left = (a + b + x - 1.0) / (a - 1.0) * (1.0 - ratio * hyp2f1(r + x, b + x, a + b + x - 1.0, t / (alpha + age + t)))
    gone = np.where(x > 0, a / (b + np.maximum(x, 1.0) - 1.0) * ((alpha + age) / (alpha + last)) ** (r + x), 0.0)
    expected: Floats = left / (1.0 + gone)
    return expected
