"""``nba whatif``: what other settings would have recommended over the last month."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import UserError
from features.times import DAY, iso, parse_duration
from nba.door import moment, settings_at
from nba.output import Output
from nba.settings import Settings, SettingsError, parse_settings
from nba.settings.changes import Change, changed
from nba.settings.settings import read_document

if TYPE_CHECKING:
    from training.whatif import Advance

_EXAMPLE = """\
examples:
  nba whatif --set 'points.thresholds[1].below=100' --set 'points.thresholds[2].from=100'
  nba whatif --set contact_policy.caps=[] --since 2026-10-01 --out changed.csv
  nba whatif --set ranking.levers.sales_call=50 --json

KEY is a dotted key of nba.toml; lists count from 1. VALUE is TOML, or plain text; nothing leaves the key out."""

_SHOWN = 20
_NO_PART = {
    "store": "what is compared is in the store of nba.toml",
    "mlflow": "the champion is compared that is installed here",
    "scale": "where the work is done changes nothing",
    "serving": "it is about the service",
    "plan": "it is about `nba plan`",
    "snapshots": "it is about training, and the champion that is installed is asked",
    "ranking.epsilon": "what is best is compared, and nothing is explored",
    "ranking.holdout": "what is best is compared, and nobody is held out",
    "ranking.sticky": "earlier choices are left aside",
}


def register(parser: argparse.ArgumentParser) -> None:
    """Add the changes, the time and the form."""
    parser.description = (
        "Compare what would have been recommended under other settings: who gains, who loses, how often each action "
        "and channel, expected conversions, and which rule removed what. Nothing is changed and nothing is logged."
    )
    parser.epilog = _EXAMPLE
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", required=True, dest="assignments", help="a key set otherwise"
    )
    parser.add_argument("--since", metavar="T", help="from T on (ISO 8601); 30 days before when left out")
    parser.add_argument("--as-of", metavar="T", help="up to T (ISO 8601); now when left out")
    parser.add_argument(
        "--every", metavar="DURATION", default="7d", help="days between the moments that are compared; 7d when left out"
    )
    parser.add_argument(
        "--out", metavar="FILE", type=Path, help="write the contacts that change: .csv, .parquet, .jsonl"
    )
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Compare and show."""
    settings = settings_at(args, out)
    others, changes = _others(args)
    until = moment(args.as_of)
    since = until - 30 * DAY if args.since is None else _since(args.since, until)
    every_us = _every(args.every)

    from features.store import Store
    from models.belief import Belief
    from models.local import local_champion
    from training.whatif import compare, report_of, working_noons
    from training.whatif_list import rows_of, write_rows

    if args.out is not None:
        _check_path(args.out)
    champion = local_champion(settings.folder)
    belief = None if champion is None else Belief.load(*champion)
    if belief is None:
        out.say("no champion is installed here; the points table chooses (`nba train run` makes a champion)")
    moments = working_noons(since, until, every_us, settings.contact_policy)
    with Store.open(settings.store.url) as store, out.progress("recommendations compared") as shown:
        found = compare(store, settings, others, belief, moments, begins=_begins(shown.advance))
        if not found.contacts:
            raise UserError(f"the store holds no contacts before {iso(moments[-1])}; choose another --since or --as-of")
        rows, hidden = rows_of(found, store, settings, until)
    report = {
        "from": iso(since),
        "to": iso(until),
        "moments": [iso(at) for at in moments],
        "settings": [{"key": each.key, "before": each.before, "after": each.after} for each in changes],
        **report_of(found, settings, others),
        "kept_by_partners": _counted(hidden),
        "list": rows,
    }
    if args.out is not None:
        write_rows(rows, args.out)
        report |= {"file": str(args.out)}
    if args.json:
        out.json(report)
    else:
        _show(report, out)
    return 0


def _begins(advance: Advance) -> Callable[[int], Advance]:
    return lambda n: advance


def _others(args: argparse.Namespace) -> tuple[Settings, Sequence[Change]]:
    """Read the settings once more, with the changes, as strictly as the file itself."""
    document, folder = read_document(args.config)
    found, changes = changed(document, args.assignments)
    try:
        return parse_settings(found, folder=folder, environ=os.environ), changes
    except SettingsError as error:
        raise SettingsError(f"with --set: {complaint}" for complaint in error.complaints) from None


def _since(text: str, until: int) -> int:
    try:
        found = moment(text)
    except UserError as error:
        raise UserError(str(error).replace("--as-of", "--since")) from None
    if found >= until:
        raise UserError(
            f"--since: {iso(found)} is not before {iso(until)}, up to which is compared; name an earlier time"
        )
    return found


def _every(text: str) -> int:
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise UserError(f"--every: {error}") from None
    if found < DAY or found % DAY:
        raise UserError(f"--every: {text!r} is not one or more whole days; write a duration such as 7d")
    return found


def _check_path(path: Path) -> None:
    from training.whatif_list import SUFFIXES

    if path.suffix not in SUFFIXES:
        raise UserError(f"{path} has no suffix that is known here; name a file that ends in {', '.join(SUFFIXES)}")
    folder = path.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or path.is_dir():
        raise UserError(f"{path} cannot be written; name a file in a folder that exists and may be written")


def _counted(n: int) -> int | None:
    from nba.visibility import counted

    return counted(n) if n else 0


def _show(found: Mapping[str, Any], out: Output) -> None:
    for each in found["settings"]:
        out.result(f"{each['key']}: {_spelt(each['before'])} -> {_spelt(each['after'])}")
        why = next((why for key, why in _NO_PART.items() if f"{each['key']}.".startswith(f"{key}.")), None)
        if why is not None:
            out.result(f"  has no part in this: {why}")
    n, moments = found["changed"]["contacts"], found["moments"]
    out.result(
        f"{found['recommendations']:,} recommendations to {found['contacts']:,} contacts "
        f"at {len(moments)} moments from {moments[0]} to {moments[-1]}"
    )
    out.result("")
    if not n:
        out.result("nothing changes")
        return
    changed = found["changed"]
    out.result(
        f"{n:,} contacts would get another recommendation: {changed['gain']:,} something instead of nothing, "
        f"{changed['lose']:,} nothing instead of something, {changed['get_another']:,} something else"
    )
    _show_moves(found, out)
    _show_counts(found, out)
    _show_list(found, out)


def _show_moves(found: Mapping[str, Any], out: Output) -> None:
    out.result("")
    rows = [(each["from"], each["to"], each["contacts"], each["recommendations"]) for each in found["moves"]]
    out.table(("from", "to", "contacts", "recommendations"), rows)


def _show_counts(found: Mapping[str, Any], out: Output) -> None:
    out.result("")
    counts = [("action", name, each) for name, each in found["actions"].items()]
    counts += [("channel", name, each) for name, each in found["channels"].items()]
    counts += [
        (f"{action} removed by", rule, each)
        for action, rules in found["removed"].items()
        for rule, each in rules.items()
        if each["before"] != each["after"]
    ]
    some = [(what, name, each["before"], each["after"]) for what, name, each in counts if any(each.values())]
    out.table(("what", "name", "before", "after", "change"), [(*row, row[3] - row[2]) for row in some])
    expected = found["expected"]
    if expected is not None:
        out.result("")
        out.result(
            f"expected {expected['goal']}, within its horizon, on average over the moments: "
            f"{expected['before']:,.1f} -> {expected['after']:,.1f}"
        )


def _show_list(found: Mapping[str, Any], out: Output) -> None:
    rows = found["list"]
    out.result("")
    out.table(("contact", "from", "to", "first", "moments"), [tuple(row.values()) for row in rows[:_SHOWN]])
    if "file" in found:
        out.result(f"{len(rows):,} rows written to {found['file']}")
    elif len(rows) > _SHOWN:
        out.result(f"and {len(rows) - _SHOWN:,} more; --out FILE or --json has them all")
    if found["kept_by_partners"] != 0:
        out.result("contacts whose recommendations their partners keep to themselves are neither counted nor listed")


def _spelt(value: object) -> str:
    return "(left out)" if value is None else str(value)
