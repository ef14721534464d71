"""``nba evaluate counts``: how actions were used and what came of them, what gates remove, how good the data are."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from nba.door import moment, settings_at
from nba.output import Output

if TYPE_CHECKING:
    _Kinds = argparse._SubParsersAction[argparse.ArgumentParser]


def add_counts(kinds: _Kinds) -> None:
    """Add ``counts``."""
    counts = kinds.add_parser(
        "counts",
        help="count how actions were used and what came of them, what gates remove, and what is wrong with the data",
        description=(
            "Count for the pages Actions and Model what takes a look at everything: how each action was used and what "
            "came of it, as the views v_decisions_daily and v_action_lift have it; who is eligible, and which rule "
            "removes the rest, as `nba actions check` tells it; how new topics do, as `nba evaluate content` tells it; "
            "and v_model_versions and v_data_quality. `nba serve` does this by itself once a day and keeps it (--keep)."
        ),
        epilog="examples:\n  nba evaluate counts\n  nba evaluate counts --keep",
    )
    counts.add_argument("--as-of", metavar="T", help="gates and topics as they stood at T (ISO 8601); default: now")
    counts.add_argument("--keep", action="store_true", help="put it into counts.json beside nba.toml, for the pages")
    counts.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Count, print, and keep where asked to."""
    from features.store.store import Store
    from models.belief import Belief
    from models.kept import Kept
    from models.local import COUNTS
    from training.counts import count

    began = time.monotonic()
    settings, now = settings_at(args, out), moment(args.as_of)
    belief = Belief.installed(settings.folder)
    with Store.open(settings.store.url) as store:
        found = count(store, settings, belief, now)
    found["took_seconds"] = round(time.monotonic() - began, 1)
    kept = Kept(settings.folder / COUNTS)
    if args.keep and not kept.put(found):
        out.say(f"{kept.path} cannot be written, so this is not kept")
    if args.json:
        out.json(found)
    else:
        _show(found, out)
    return 0


def _show(found: dict[str, Any], out: Output) -> None:
    columns = ("action", "placement", "decisions", "carried_out", "answered", "accepted", "converted", "rejected")
    rows = [tuple("" if each[name] is None else str(each[name]) for name in columns) for each in found["uses"]]
    out.table(tuple(name.replace("_", " ") for name in columns), rows)
    wrong = [each for each in found["quality_lately"] if each["finding"] != "new kind"]
    if wrong:
        out.result("")
        out.table(
            ("found in the last 90 days", "table", "what", "rows"),
            [(each["finding"], each["table_name"], str(each["subject"] or ""), str(each["rows"])) for each in wrong],
        )
