"""What the page Forecast has to show, from the forecasts that were kept."""

from __future__ import annotations

from typing import Any

from features.times import DAY, iso, parse_time
from tests.serving.dashboard.read_cells import Expected

NONE = "–"
MEASURES = ("conversions", "revenue")


def forecast(world: Any, path: str, w: Any, n: Any) -> Expected:
    """Tell of the newest line that ``nba forecast`` has put down."""
    (told,) = world.forecasts
    until = n.day(told["as_of_us"] + told["horizon_us"])
    days = n.number(told["horizon_us"] / DAY)
    lines = [
        f"{w['goal_' + told['goal']]}: {w.next_days.format(days=days)}",
        w.span.format(
            begin=n.time(told["as_of_us"]),
            end=until,
            contacts=n.number(told["contacts"]),
            version=told["model_version"],
        ),
    ]
    for measure in MEASURES:
        each, unit = told[measure], f" {told['currency']}" if measure == "revenue" else ""
        low, high = (_amount(x, n) for x in each["interval"])
        lines += [_amount(each["expected"], n) + unit, w.between.format(low=low, high=high)]
    whole = _amount(sum(row["naive"] for row in told["abc"]), n)
    lines.append(w.abc_would.format(amount=whole, currency=told["currency"]))
    rows, held = _tried(told, w, n)
    lines.append(
        " ".join(
            w["held_" + measure].format(held=n.number(sum(held[measure])), of=n.number(len(held[measure])))
            for measure in MEASURES
        )
    )
    names = [w["measure_" + measure] for measure in MEASURES]
    heads = [w.from_day, w.until_day, w.how, *(each for name in names for each in (name, w.interval, w.came, w.inside))]
    grouped = [part for name in names for part in (name, w.interval)]
    abc = [[*_group(row, n), _amount(row["naive"], n), _amount(row["last_year"], n)] for row in told["abc"]]
    tables = [
        (w.earlier, [heads, *rows]),
        (w.abc, [[w.abc_class, w.contacts, *grouped, w.abc_expects, w.last_year], *abc]),
        (w.by_owner, [[w.head_owner, w.contacts, *grouped], *(_group(row, n) for row in told["by"]["owner"])]),
    ]
    return Expected(tables, lines)


def _group(row: Any, n: Any) -> list[str]:
    cells = [row["name"], n.number(row["contacts"])]
    for measure in MEASURES:
        cells += [_amount(row[measure]["expected"], n), _within(row[measure]["interval"], n)]
    return cells


def _tried(told: Any, w: Any, n: Any) -> tuple[list[list[str]], dict[str, list[bool]]]:
    """Write forecasts whose time has come, the newest first, and whether what came lay within."""
    found = [(row["as_of"], row, False) for row in told["backtests"]["rows"]]
    found += [(row["as_of"], row, True) for row in told["earlier"]]
    rows: list[list[str]] = []
    held: dict[str, list[bool]] = {measure: [] for measure in MEASURES}
    for as_of, row, is_made in sorted(found, key=lambda each: each[0], reverse=True):
        end = iso(parse_time(as_of) + told["horizon_us"])
        cells = [n.day(as_of), n.day(end), w.made if is_made else w.tried]
        for measure in MEASURES:
            if measure not in row:
                cells += [NONE] * 4
                continue
            each = row[measure]
            held[measure].append(each["held"])
            cells += [_amount(each["expected"], n), _within(each["interval"], n), _amount(each["actual"], n)]
            cells.append(w.yes if each["held"] else w.no)
        rows.append(cells)
    return rows, held


def _amount(value: float, n: Any) -> str:
    return str(n.number(value, 0 if value >= 100 else 1))


def _within(interval: Any, n: Any) -> str:
    return NONE if interval is None else " – ".join(_amount(x, n) for x in interval)
