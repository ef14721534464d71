"""``nba score``: every contact into a file, and into the store for dashboards and BI."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.door import file_in, moment, now_us, settings_at
from nba.output import Output

if TYPE_CHECKING:
    from pyarrow import Table

    from features.rows.row_types import ScoreRow
    from models.belief import Belief


def register(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = (
        "Score every contact: stage, points, propensities, and the best allowed actions with their priorities. "
        "Writes a Parquet file, and the same into the store."
    )
    parser.epilog = (
        "examples:\n  nba score --out scores.parquet\n  nba score --as-of 2026-11-01 --out then.parquet --json\n\n"
        "Who may not be profiled has no score. Contacts that partners keep to themselves are in the store alone."
    )
    parser.add_argument("--as-of", metavar="T", help="as it stood at T (ISO 8601); default: now")
    parser.add_argument("--out", metavar="FILE.parquet", type=Path, required=True, help="the file to write")
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Score and write."""
    from features.store.figures import store_figures
    from features.store.store import Store
    from features.times import iso
    from models.belief import Belief
    from nba.in_line import in_line
    from nba.partners.owner_sights import put_down
    from nba.partners.visibility import counted
    from nba.trend import kept
    from training.drift.rows import moved_since
    from training.past import WITHOUT_TERMS, read_past
    from training.pipeline.scored import count_scored
    from training.scoring import contact_names, left_out, rows_of, score_table, seen_by_owner
    from training.segments.classes import classed
    from training.segments.segments import count_segments

    settings = settings_at(args, out)
    now = moment(args.as_of)
    file_in(args.out, (".parquet",))
    belief = Belief.installed(settings.folder)
    if belief is None:
        out.say("no champion is installed here; scores come from the points table (`nba train run` makes one)")
    with Store.open(settings.store.url) as store:
        past = read_past(store, settings, now, without=WITHOUT_TERMS)
        if belief is not None:
            for sentence in moved_since(past, settings, belief):
                out.say(sentence)
        with out.progress("contacts scored", len(contact_names(past))) as shown:
            scores = score_table(past, settings, belief, advance=shown.advance)
        visible = seen_by_owner(scores, past, settings)
        _write(visible, args.out)
        stored = {row.contact_id: row for row in store.score_rows()}
        figure = count_scored(scores, stored, past, settings, belief)
        segments, classes = count_segments(scores, past, settings, belief), classed(scores, past, settings, belief)
        known = past.traits.known
        store.save_scores(
            in_line(kept(row, stored.get(row.contact_id)), settings.actions, known(row.contact_id, now))
            for row in (classes.marked(_graded(each, belief)) for each in rows_of(scores))
        )
        with store.writing() as writing:
            store_figures(writing, [figure, segments, *classes.figures])
        # Who sees what is a matter of the present, whatever moment was scored.
        put_down(store, settings, now_us())
    report = {
        "as_of": iso(now),
        "file": str(args.out),
        "contacts": visible.num_rows,
        "kept_by_partners": counted(hidden) if (hidden := scores.num_rows - visible.num_rows) else 0,
        "not_profiled": left_out(past, settings),
        "model_version": None if belief is None else belief.version,
    }
    if args.json:
        out.json(report)
    else:
        _show(report, settings.contact_policy.consent.profiling, out)
    return 0


def _graded(row: ScoreRow, belief: Belief | None) -> ScoreRow:
    """Keep the grades with a score, as views cannot work them out."""
    goals = belief.goals if belief is not None else ()
    chances = {goal: p for goal in goals if (p := row.body.get(f"p_{goal}")) is not None}
    if belief is None or not chances:
        return row
    grades = {goal: belief.grade(goal, float(str(p))) for goal, p in chances.items()}
    return row._replace(body={**row.body, "grades": grades})


def _show(report: Mapping[str, Any], profiling: str, out: Output) -> None:
    out.result(f"{report['contacts']:,} contacts scored into {report['file']} and the store")
    if report["kept_by_partners"]:
        out.say(
            f"{report['kept_by_partners']:,} more belong to partners whose terms show no single contact; the store "
            "alone has them"
        )
    if report["not_profiled"]:
        why = "object to profiling" if profiling == "opt_out" else f"object to profiling, or gave no {profiling} to it"
        out.say(f"{report['not_profiled']:,} more have no score, because they {why}")


def _write(scores: Table, path: Path) -> None:
    import pyarrow.parquet as pq

    part = path.with_name(path.name + ".part")
    pq.write_table(scores, part)
    part.replace(path)
