"""``nba whatif``: what other settings would have recommended over the last month."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import UsageError, UserError
from features.times import DAY, iso, parse_duration
from nba.door import file_in, moment, settings_at
from nba.output import Output
from nba.published import document_of
from nba.settings import Settings, SettingsError, parse_settings
from nba.settings.changes import Change, changed

if TYPE_CHECKING:
    from training.everybody.whatif import Advance

_EXAMPLE = """\
examples:
  nba whatif --set 'points.thresholds[1].below=100' --set 'points.thresholds[2].from=100'
  nba whatif --set 'contact_policy.caps=[]' --since 2026-10-01 --out changed.csv
  nba whatif --set ranking.levers.sales_call=50 --json

KEY is a dotted key of nba.toml: tables by name, entries of a list by their number in brackets, counted from 1, so that
thresholds[2] is the second entry. VALUE is TOML, or plain text; nothing at all (KEY=) leaves the key out. Quote what
the shell would read itself, such as brackets."""

_SHOWN = 20
_WAYS = {
    "gain": "something instead of nothing",
    "lose": "nothing instead of something",
    "get_another": "something else",
    "mixed": "now one of these, now another",
}
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
        "Compare what would have been recommended under other settings: who gains, who loses, how many "
        "contacts each action and channel reaches, expected conversions, and which rule removed what. Nothing is "
        "changed and nothing is logged."
    )
    parser.epilog = _EXAMPLE
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        required=True,
        dest="assignments",
        help="what to set otherwise; may be repeated; entries of lists count from 1",
    )
    parser.add_argument("--since", metavar="T", help="from T on (ISO 8601); default: 30 days before")
    parser.add_argument("--as-of", metavar="T", help="up to T (ISO 8601); default: now")
    parser.add_argument(
        "--every",
        metavar="DURATION",
        default="7d",
        help="how far the moments that are compared lie apart, in whole days; default: 7d",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        help="write the contacts whose recommendation changes: .csv, .parquet or .jsonl by its suffix",
    )
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Compare and show."""
    settings = settings_at(args, out)
    others, changes = _others(args, settings)
    until = moment(args.as_of)
    since = until - 30 * DAY if args.since is None else _since(args.since, until)
    every_us = _every(args.every)

    from features.store.store import Store
    from models.belief import Belief
    from training.everybody.whatif import compare, report_of, working_noons
    from training.everybody.whatif_list import SUFFIXES, rows_of, write_rows

    if args.out is not None:
        file_in(args.out, SUFFIXES)
    belief = Belief.installed(settings.folder)
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


def _others(args: argparse.Namespace, settings: Settings) -> tuple[Settings, Sequence[Change]]:
    """Read the settings that are in force once more, with the changes, as strictly as the file itself."""
    found, changes = changed(document_of(settings), args.assignments)
    try:
        return parse_settings(found, folder=settings.folder, environ=os.environ), changes
    except SettingsError as error:
        raise SettingsError(f"with --set: {complaint}" for complaint in error.complaints) from None


def _since(text: str, until: int) -> int:
    found = moment(text, "--since")
    if found >= until:
        raise UsageError(
            f"--since: {iso(found)} is not before {iso(until)}, up to which is compared; name an earlier time"
        )
    return found


def _every(text: str) -> int:
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--every: {error}") from None
    if found < DAY or found % DAY:
        raise UsageError(f"--every: {text!r} is not one or more whole days; write a duration such as 7d")
    return found


def _counted(n: int) -> int | None:
    from nba.partners.visibility import counted

    return counted(n) if n else 0


def _show(found: Mapping[str, Any], out: Output) -> None:
    for each in found["settings"]:
        out.result(f"{each['key']}: {_spelt(each['before'])} -> {_spelt(each['after'])}")
        why = next((why for key, why in _NO_PART.items() if f"{each['key']}.".startswith(f"{key}.")), None)
        if why is not None:
            out.result(f"  has no part in this: {why}")
    changed, moments = found["changed"], found["moments"]
    between = f"from {moments[0][:10]} to {moments[-1][:10]}" if len(moments) > 1 else f"on {moments[0][:10]}"
    out.result("")
    out.result(f"{found['contacts']:,} contacts, looked at {_times(len(moments))} {between}")
    if not changed["contacts"]:
        out.result("nothing changes")
    else:
        out.result(f"{changed['contacts']:,} of them would get another recommendation at one of these times or more:")
        for way, means in _WAYS.items():
            out.result(f"  {changed[way]:,} {means}")
        _show_moves(found, out)
        _show_actions(found, out)
        _show_removed(found, out)
    _show_expected(found, out)
    if changed["contacts"]:
        _show_list(found, out)
    if found["kept_by_partners"] != 0:
        some = "a few" if found["kept_by_partners"] is None else f"{found['kept_by_partners']:,}"
        out.result("")
        out.result(f"neither counted nor listed: {some} contacts whose partners keep recommendations to themselves")


def _show_moves(found: Mapping[str, Any], out: Output) -> None:
    out.result("")
    rows = [(each["from"], each["to"], each["contacts"], each["recommendations"]) for each in found["moves"]]
    out.table(("instead of", "they get", "contacts", "times"), rows)


def _show_actions(found: Mapping[str, Any], out: Output) -> None:
    """Show how many contacts each action and channel reaches at all, and how often."""
    for what, counts in (("action", found["actions"]), ("channel", found["channels"])):
        rows = [(name, *_both(each["contacts"]), *_both(each)) for name, each in counts.items()]
        out.result("")
        out.table(
            (what, "contacts before", "after", "change", "times before", "after", "change"),
            [row for row in rows if any(row[1:])],
        )


def _show_removed(found: Mapping[str, Any], out: Output) -> None:
    rows = [
        (action, rule, *_both(each))
        for action, rules in found["removed"].items()
        for rule, each in rules.items()
        if each["before"] != each["after"]
    ]
    if not rows:
        return
    out.result("")
    out.table(("action", "removed by", "times before", "after", "change"), rows)
    out.result("the first rule that removes an action counts: where one removes less, a later one may remove more")


def _show_expected(found: Mapping[str, Any], out: Output) -> None:
    expected = found["expected"]
    if expected is None:
        return
    before, after = expected["before"], expected["after"]
    out.result("")
    out.result(
        f"expected {expected['goal']}: {before:,.1f} -> {after:,.1f} ({after - before:+,.1f}), by the model, within "
        "the goal's horizon, if all of them get what is recommended, each time on average"
    )


def _both(counts: Mapping[str, int]) -> tuple[int, int, int]:
    return counts["before"], counts["after"], counts["after"] - counts["before"]


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def _show_list(found: Mapping[str, Any], out: Output) -> None:
    rows = [
        (row["contact_id"], row["from"], row["to"], row["first"][:10], row["moments"]) for row in found["list"][:_SHOWN]
    ]
    out.result("")
    out.table(("contact", "instead of", "gets", "first on", "times"), rows)
    if "file" in found:
        out.result(f"{len(found['list']):,} rows written to {found['file']}")
    elif len(found["list"]) > _SHOWN:
        out.result(f"and {len(found['list']) - _SHOWN:,} more; --out FILE or --json has them all")


def _spelt(value: object) -> str:
    return "(left out)" if value is None else str(value)
