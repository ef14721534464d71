"""``nba quarantine``: what was refused and why; again, after a fix."""

from __future__ import annotations

import argparse
import json

from features.loading.quarantine import retry_quarantine
from features.rows.row_types import QuarantineRow
from features.store.store import Store
from features.times import iso
from nba.commands.load import show
from nba.door import now_us, settings_at
from nba.due_values import UnreadValue, unread_values
from nba.output import Output

_SHOWN_ROW = 120


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Show the rows that were refused and why, or try them again after a fix of nba.toml; or show the values that "
        "were kept but hold no date or time zone where the settings take them for one."
    )
    parser.epilog = "examples:\n  nba quarantine --json\n  nba quarantine retry\n  nba quarantine unread"
    parser.add_argument(
        "what",
        nargs="?",
        choices=["show", "retry", "unread"],
        default="show",
        help="show (default) what was refused, retry it, or show what was kept and could not be read (unread)",
    )
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON")


def run(args: argparse.Namespace, out: Output) -> int:
    """Show or retry."""
    settings = settings_at(args, out)
    with Store.open(settings.store.url) as store:
        if args.what == "retry":
            report = retry_quarantine(store, now_us=now_us(), rules=settings.touchpoints)
            show(report, out, as_json=args.json)
        elif args.what == "unread":
            _show_unread(list(unread_values(store, settings, now_us())), out, as_json=args.json)
        elif args.json:
            out.json([_as_json(row) for row in store.quarantine_rows()])
        else:
            _show_rows(store, out)
    return 0


def _show_rows(store: Store, out: Output) -> None:
    count = 0
    for row in store.quarantine_rows():
        count += 1
        where = row.file if row.line is None else f"{row.file}:{row.line}"
        shown = row.raw if len(row.raw) <= _SHOWN_ROW else f"{row.raw[:_SHOWN_ROW]}…"
        out.result(f"{where}  {row.table}  {row.reason}  {shown}")
    out.say(f"{count:,} rows in quarantine" if count else "nothing is in quarantine")
    if count:
        out.say("mend nba.toml and `nba quarantine retry`, or mend the file and load it again")


def _show_unread(found: list[UnreadValue], out: Output, *, as_json: bool) -> None:
    if as_json:
        out.json([each._asdict() for each in found])
        return
    for each in found:
        out.result(f"{each.table}  {each.key}  {each.column} {each.value!r} is not {each.takes}")
    if found:
        out.say(
            f"{len(found):,} x cannot be read; load the rows again with dates such as 2026-12-31: what becomes known "
            "last counts"
        )
    else:
        out.say("everything that is taken for a date or a time zone can be read")


def _as_json(row: QuarantineRow) -> dict[str, object]:
    return {
        "table": row.table,
        "file": row.file,
        "line": row.line,
        "reason": row.reason,
        "row": _writable(json.loads(row.raw)),
        "refused_at": iso(row.refused_at),
    }


def _writable(value: object) -> object:
    """Escape undecodable bytes, which can be read from the store but not be written as UTF-8 again."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, list):
        return [_writable(item) for item in value]
    if isinstance(value, dict):
        return {name: _writable(item) for name, item in value.items()}
    return value
