"""``nba evaluate daily``: what was served, beside the holdout and beside other ways of choosing."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from features.times import iso
from nba.door import moment, settings_at
from nba.output import Output

if TYPE_CHECKING:
    _Kinds = argparse._SubParsersAction[argparse.ArgumentParser]

_MEANS = {
    "points": "the points table",
    "random": "a random allowed action",
    "propensity_only": "the highest propensity",
    "without_levers": "the ranking without levers",
}


def add_daily(kinds: _Kinds) -> None:
    """Add ``daily``."""
    daily = kinds.add_parser(
        "daily",
        help="compare what was served with the holdout and with five other ways of choosing",
        description=(
            "Say what the decisions of the last 90 days brought whose outcomes are known, how much more than the "
            "holdout, and how much more than the points table, a random allowed action, the highest propensity, and "
            "the ranking without levers; and in how many of them another action would have been best if suitable "
            "stages did not matter. `nba serve` does this by itself once a day and keeps it (--keep)."
        ),
        epilog="examples:\n  nba evaluate daily\n  nba evaluate daily --as-of 2026-07-01 --json",
    )
    daily.add_argument("--as-of", metavar="T", help="only what happened before T (ISO 8601) counts; default: now")
    daily.add_argument("--keep", action="store_true", help="add it to comparisons.jsonl beside nba.toml")
    daily.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Compare, print, and keep where asked to."""
    from features.store.store import Store
    from models.belief import Belief
    from models.daily_log import DailyLog
    from training.past import read_past
    from training.standing_comparisons import compare, served
    from training.suitability_replay import without_suitability

    settings, now = settings_at(args, out), moment(args.as_of)
    belief = Belief.installed(settings.folder)
    with Store.open(settings.store.url) as store:
        past = read_past(store, settings, now)
        decisions = served(past, settings)
        found: dict[str, Any] = {
            "day": iso(now)[:10],
            "as_of": iso(now),
            "model_version": None if belief is None else belief.version,
        }
        found |= compare(decisions)
        found["without_suitability"] = without_suitability(store, settings, belief, decisions.rows.made)
    log = DailyLog.of(settings.folder)
    if args.keep and not log.add(found):
        out.say(f"{log.path} cannot be written, so this day is not kept")
    if args.json:
        out.json(found)
    else:
        _show(found, out)
    return 0


def _show(found: Mapping[str, Any], out: Output) -> None:
    if found["why"]:
        out.result(found["why"])
        return
    out.result(f"{found['decisions']:,} decisions brought {found['value']:.4g} each")
    out.result("")
    rows = [("the holdout (points)", found["holdout"])]
    rows += [(_MEANS[name], gain) for name, gain in found["over"].items()]
    out.table(("what was served against", "gain a decision", "95 % interval"), [_cells(*row) for row in rows])
    free = found["without_suitability"]
    if free["decisions"]:
        out.result("")
        out.result(
            f"without suitable stages another action would be best in {free['other']:.1%} of the newest "
            f"{free['decisions']:,} decisions, worth {free['priority']:.4g} more a decision if the model is right; "
            "what does not suit is never tried, so decisions cannot tell"
        )


def _cells(name: str, gain: Mapping[str, Any]) -> tuple[str, str, str]:
    value, interval = gain["value"], gain["interval"]
    if value is None:
        return name, "cannot be said", ""
    return name, f"{value:+.4g}", "" if interval is None else f"{interval[0]:+.4g} to {interval[1]:+.4g}"
