"""``nba score``: every contact into a file, and into the store for dashboards and BI."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from nba.door import moment, settings_at
from nba.output import Output

if TYPE_CHECKING:
    from pyarrow import Table


def register(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = (
        "Score every contact: stage, points, propensities, and the best allowed actions with their priorities. "
        "Writes a Parquet file, and the same into the store."
    )
    parser.epilog = "example:\n  nba score --out scores.parquet"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--as-of", metavar="T", help="as it stood at T (ISO 8601); now when left out")
    parser.add_argument("--out", metavar="FILE.parquet", type=Path, required=True, help="the file to write")


def run(args: argparse.Namespace, out: Output) -> int:
    """Score and write."""
    from features.errors import UserError
    from features.store import Store
    from models.belief import Belief
    from models.local import local_champion
    from nba.trend import kept
    from nba.visibility import counted
    from training.drift_rows import moved_since
    from training.past import read_past
    from training.scoring import contact_names, rows_of, score_table, seen_by_owner

    settings = settings_at(args, out)
    now = moment(args.as_of)
    folder = args.out.absolute().parent
    if args.out.suffix != ".parquet":
        raise UserError(f"{args.out} is not a Parquet file's name; write one that ends in .parquet")
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UserError(f"{args.out} cannot be written; name a file in a folder that exists and may be written")
    champion = local_champion(settings.folder)
    belief = None if champion is None else Belief.load(*champion)
    if belief is None:
        out.say("no champion is installed here; scores come from the points table (`nba train run` makes one)")
    with Store.open(settings.store.url) as store:
        past = read_past(store, settings, now)
        if belief is not None:
            for sentence in moved_since(past, settings, belief):
                out.say(sentence)
        with out.progress("contacts scored", len(contact_names(past))) as shown:
            scores = score_table(past, settings, belief, advance=shown.advance)
        visible = seen_by_owner(scores, past, settings)
        _write(visible, args.out)
        stored = {row.contact_id: row for row in store.score_rows()}
        store.save_scores(kept(row, stored.get(row.contact_id)) for row in rows_of(scores))
    out.result(f"{visible.num_rows:,} contacts scored into {args.out} and the store")
    if hidden := counted(scores.num_rows - visible.num_rows):
        out.say(f"{hidden:,} more belong to partners whose terms show no single contact; the store alone has them")
    return 0


def _write(scores: Table, path: Path) -> None:
    import pyarrow.parquet as pq

    part = path.with_name(path.name + ".part")
    pq.write_table(scores, part)
    part.replace(path)
