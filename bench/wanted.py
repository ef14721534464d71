"""The features that every contender computes, each in every contender's own words, and the world they are about."""

from __future__ import annotations

import math
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.times import DAY

KINDS = ["visit", "newsletter_open", "download", "service_call", "order"]
CHANNELS = ["web", "email", "phone", "shop"]
TOPICS = ["pumps", "service", "saws", "drills", "mills", "lathes", "oil", "belts"]
NOW = 20_000 * DAY
LOG = ("contact", "ts", "kind", "channel", "value", "topic")
Arrays = dict[str, NDArray[Any]]
Figures = dict[str, float]


@dataclass(frozen=True)
class Wanted:
    """One feature: ``how`` (count, revenue, recency, tenure, fade, gap_mean, gap_std, gap_max) of which touchpoints.

    ``days`` is the window, or the half-life where it fades; ``column`` and ``code`` pick a kind, channel or topic.
    """

    name: str
    how: str
    days: int | None = None
    column: str | None = None
    code: int = 0

    @property
    def absent(self) -> float:
        """What it is for a row without such a touchpoint."""
        return 0.0 if self.how in ("count", "revenue", "fade", "revenue_fade") else float("nan")

    def sql(self) -> str:
        """Aggregate over ``e`` and ``r``."""
        age, picks = "(r.as_of - e.ts)", ["e.ts IS NOT NULL"]
        if self.column:
            picks.append(f"{self.column} = {self.code}")
        if self.days and "fade" not in self.how:
            picks.append(f"{age} <= {self.days * DAY}")
        if "revenue" in self.how:
            picks.append("kind = 4")
        fade = f"exp(-{math.log(2) / ((self.days or 1) * DAY)!r} * {age})"
        what = {
            "count": "count(*)",
            "revenue": "sum(value)",
            "recency": f"min({age}) / {DAY}.0",
            "tenure": f"max({age}) / {DAY}.0",
            "fade": f"sum({fade})",
            "revenue_fade": f"sum(value * {fade})",
            "gap_mean": f"avg(gap) / {DAY}.0",
            "gap_std": f"stddev_pop(gap) / {DAY}.0",
            "gap_max": f"max(gap) / {DAY}.0",
        }[self.how]
        found = f"{what} FILTER ({' AND '.join(picks)})" if "/" not in what else _filtered(what, " AND ".join(picks))
        return f"coalesce({found}, 0)" if self.absent == 0.0 else found

    def polars(self, pl: Any) -> Any:
        """Expression over the joined frame."""
        age, picks = pl.col("age"), []
        if self.column:
            picks.append(pl.col(self.column) == self.code)
        if self.days and "fade" not in self.how:
            picks.append(age <= self.days * DAY)
        if "revenue" in self.how:
            picks.append(pl.col("kind") == 4)
        fade = (age * (-np.log(2) / ((self.days or 1) * DAY))).exp()
        if self.how == "count":
            return pl.all_horizontal(picks).sum() if picks else pl.len()
        of, end = {
            "revenue": (pl.col("value"), "sum"),
            "recency": (age / DAY, "min"),
            "tenure": (age / DAY, "max"),
            "fade": (fade, "sum"),
            "revenue_fade": (pl.col("value") * fade, "sum"),
            "gap_mean": (pl.col("gap") / DAY, "mean"),
            "gap_std": (pl.col("gap") / DAY, "std"),
            "gap_max": (pl.col("gap") / DAY, "max"),
        }[self.how]
        picked = of.filter(pl.all_horizontal(picks)) if picks else of
        return picked.std(ddof=0) if end == "std" else getattr(picked, end)()

    def pandas(self, joined: Any, by_row: Any) -> Any:
        """Series by row."""
        if self.how.startswith("gap"):
            gap = by_row["gap"]
            found = gap.std(ddof=0) if self.how == "gap_std" else gap.mean() if self.how == "gap_mean" else gap.max()
            return found / DAY
        age, mask = joined["age"], None
        for picked in (
            joined[self.column] == self.code if self.column else None,
            age <= self.days * DAY if self.days and "fade" not in self.how else None,
            joined["kind"] == 4 if "revenue" in self.how else None,
        ):
            if picked is not None:
                mask = picked if mask is None else mask & picked
        if self.how in ("recency", "tenure"):
            days = age / DAY if mask is None else (age / DAY).where(mask)
            return getattr(days.groupby(joined["row"], sort=True), "min" if self.how == "recency" else "max")()
        value = joined["value"] if "revenue" in self.how else 1.0
        if "fade" in self.how:
            value = value * np.exp(age * (-np.log(2) / ((self.days or 1) * DAY)))
        if mask is not None:
            value = mask * value
        if isinstance(value, float):
            return by_row.size()
        return value.groupby(joined["row"], sort=True).sum()


def _filtered(what: str, picks: str) -> str:
    aggregate, _, rest = what.rpartition(" / ")
    return f"{aggregate} FILTER ({picks}) / {rest}"


def _all() -> tuple[Wanted, ...]:
    counts = [Wanted(f"n_inbound_{days}d", "count", days) for days in (1, 3, 7, 30, 90, 365)]
    fades = [Wanted(f"faded_inbound_{days}d", "fade", days) for days in (7, 30, 90)]
    gaps = [Wanted(f"gap_{how}_days", f"gap_{how}") for how in ("mean", "std", "max")]
    money = [Wanted(f"revenue_{days}d", "revenue", days) for days in (30, 90, 365)]
    money += [Wanted(f"n_orders_{days}d", "count", days, "kind", 4) for days in (30, 90, 365)]
    found = [
        Wanted("tenure_days", "tenure"), Wanted("recency_inbound_days", "recency"), Wanted("n_inbound_ever", "count"),
        *counts, *fades, *gaps, *money, Wanted("revenue_ever", "revenue"),
        Wanted("revenue_faded_30d", "revenue_fade", 30),
        Wanted("recency_order_days", "recency", None, "kind", 4),
    ]  # fmt: skip
    for kind, code in (("order", 4), ("visit", 0)):
        found.append(Wanted(f"recency_kind_{kind}_days", "recency", None, "kind", code))
        found += [Wanted(f"n_kind_{kind}_{days}d", "count", days, "kind", code) for days in (7, 30, 90, 365)]
        found.append(Wanted(f"faded_kind_{kind}", "fade", 30, "kind", code))
    for channel, code in (("web", 0), ("email", 1)):
        found.append(Wanted(f"recency_channel_{channel}_days", "recency", None, "channel", code))
        found += [Wanted(f"n_channel_{channel}_{days}d", "count", days, "channel", code) for days in (7, 30, 90, 365)]
    for topic, code in (("pumps", 0), ("service", 1)):
        found.append(Wanted(f"interest_topic_{topic}", "fade", 30, "topic", code))
        found += [Wanted(f"faded_topic_{topic}_{days}d", "fade", days, "topic", code) for days in (7, 90)]
        found.append(Wanted(f"recency_topic_{topic}_days", "recency", None, "topic", code))
    return tuple(found)


WANTED = _all()


def world(n: int, n_contacts: int, n_rows: int) -> Arrays:
    """Touchpoints over two years in the order of time, by contacts of lognormal activity, and rows to be filled."""
    rng = np.random.default_rng(0)
    weight = rng.lognormal(0, 1, n_contacts)
    return {
        "n_contacts": np.array(n_contacts),
        "contact": rng.choice(n_contacts, n, p=weight / weight.sum()).astype(np.int32),
        "ts": np.sort(NOW - rng.integers(0, 730 * DAY, n)),
        "kind": rng.choice(5, n, p=[0.5, 0.25, 0.1, 0.05, 0.1]).astype(np.int8),
        "channel": rng.integers(0, 4, n).astype(np.int8),
        "value": np.round(rng.exponential(80, n), 2),
        "topic": rng.integers(0, 8, n).astype(np.int8),
        "row_contact": rng.integers(0, n_contacts, n_rows).astype(np.int32),
        "row_as_of": NOW - rng.integers(0, 365 * DAY, n_rows),
    }


def name_of(contact: int) -> str:
    """Name of a contact, where texts name them."""
    return f"crm:{contact:07}"


def peak_mb() -> float:
    """Largest resident set of this process so far."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage counts what the process that started this one held at that moment.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1000
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found / (1e6 if sys.platform == "darwin" else 1000)
