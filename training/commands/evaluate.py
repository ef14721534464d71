"""``nba evaluate``: the value of a policy, from a logged file or from the stored decisions."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from nba.commands import content
from nba.commands import evaluate as of_file
from nba.door import moment, settings_at
from nba.output import Output
from training.commands import counts, daily

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXAMPLES = """\
examples:
  nba evaluate log decisions.csv
  nba evaluate policies
  nba evaluate daily
  nba evaluate content
  nba evaluate counts

`nba evaluate log --help` says which columns such a file has."""

EXAMPLE = """\
examples:
  nba evaluate policies
  nba evaluate policies --as-of 2026-07-01 --json"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add ``log``, ``policies``, ``daily``, ``content`` and ``counts``."""
    kinds = of_file.kinds_of(parser, "WHAT")
    parser.epilog = _EXAMPLES
    of_file.add_log(kinds)
    policies = kinds.add_parser(
        "policies",
        help="judge simple policies and the champion on the stored decisions",
        description=(
            "Value points, every constant action, uniform, the learned ranking and the champion by doubly robust "
            "estimation, on the stored decisions that are held out from learning."
        ),
        epilog=EXAMPLE,
    )
    policies.add_argument("--as-of", metavar="T", help="only what happened before T (ISO 8601) counts; default: now")
    policies.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")
    daily.add_daily(kinds)
    content.add_content(kinds)
    counts.add_counts(kinds)


def run(args: argparse.Namespace, out: Output) -> int:
    """Judge, and print what was found, refused or not."""
    if args.of == "log":
        return of_file.run(args, out)
    if args.of == "daily":
        return daily.run(args, out)
    if args.of == "content":
        return content.run(args, out)
    if args.of == "counts":
        return counts.run(args, out)
    from features.store.store import Store
    from training.past import read_past
    from training.policy_review import review

    settings, now = settings_at(args, out), moment(args.as_of)
    with Store.open(settings.store.url) as store:
        past = read_past(store, settings, now)
    found = review(past, settings)
    if args.json:
        out.json(found)
    else:
        _show(found, out)
    return 0


def _show(found: Mapping[str, Any], out: Output) -> None:
    if not found["policies"]:
        out.result(found["why"])
        return
    out.table(
        ("policy", "value", "95 % interval", "success rate", "ess", "verdict"),
        [(name, *_cells(each)) for name, each in found["policies"].items()],
    )
    out.result("")
    out.result(f"{found['decisions']:,} held-out decisions, evidence: {found['evidence']}")
    for name, each in found["policies"].items():
        if each["verdict"] != "ok":
            out.result(f"{name}: {each['verdict']}. {each['why']}")
    out.result(found["why"])


def _cells(each: Mapping[str, Any]) -> tuple[str, ...]:
    interval, rate = each["interval"], each["success_rate"]
    return (
        "" if each["dr"] is None else f"{each['dr']:.4g}",
        "" if interval is None else f"{interval[0]:.4g} to {interval[1]:.4g}",
        "" if rate is None else f"{rate:.1%}",
        f"{each['ess']:,.0f}",
        each["verdict"],
    )
