"""``nba score``: every contact into a file, and into the store for dashboards and BI."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from nba.door import moment, settings_at
from nba.output import Output


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
    from training.past import read_past
    from training.scoring import columns_of, contact_names, score_all

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
        with out.progress("contacts scored", len(contact_names(past))) as shown:
            rows = list(score_all(past, settings, belief, advance=shown.advance))
        _write(columns_of(rows, settings), args.out)
        store.save_scores(rows)
    out.result(f"{len(rows):,} contacts scored into {args.out} and the store")
    return 0


def _write(columns: dict[str, list[Any]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = ("contact_id", "stage", "model_version")
    types = {name: pa.string() if name in texts or name.startswith("action_") else pa.float64() for name in columns}
    types["as_of"] = pa.timestamp("us", tz="UTC")
    table = pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})
    part = path.with_name(path.name + ".part")
    pq.write_table(table, part)
    part.replace(path)
