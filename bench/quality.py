"""How good predictions and choices are, in one table: ``python bench/quality.py DATA_DIR``.

DATA_DIR holds ``hillstrom.csv.gz``, ``olist_leads.csv.gz``, ``olist_closed_deals.csv.gz`` and
``cdnow_sample.txt.gz``; The Complete Journey comes with its package. Exits with 1 where a floor is missed.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

# Run as a file, Python looks for modules beside it, not where the project begins.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.quality_table import Found, table

PARTS = ("journey", "olist", "cdnow", "hillstrom", "world")
"""``bench/quality_<part>.py``, each with a function ``<part>(data, folder)`` that returns its lines."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; 1 where a floor is missed."""
    known = [part for part in PARTS if importlib.util.find_spec(f"bench.quality_{part}")]
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("data", type=Path, metavar="DATA_DIR", help="the folder with the public data sets")
    asked.add_argument("--only", choices=known, nargs="+", default=known, help="some parts of it")
    given = asked.parse_args(argv)
    found: list[Found] = []
    for part in given.only:
        started = time.monotonic()
        module = importlib.import_module(f"bench.quality_{part}")
        with tempfile.TemporaryDirectory(prefix="nba-quality-") as folder:
            found += getattr(module, part)(given.data, Path(folder))
        print(f"{part}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    print(table(found))
    return 0 if all(one.is_kept for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
