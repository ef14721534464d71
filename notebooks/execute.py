"""Run the scripts of this folder as notebooks and write each one's pair, with its pictures, beside it.

``make notebooks`` runs all of them; ``python notebooks/execute.py 1_touchpoints_to_features.py --out DIR`` runs some.
Scripts are the source; the notebooks are made.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
_CELL_SECONDS = 1800


def scripts() -> list[Path]:
    """List the notebooks' scripts in their order."""
    return sorted(HERE.glob("[0-9]_*.py"))


def execute(script: Path, out: Path) -> Path:
    """Run one script as a notebook, in a kernel of its own, and write it with what it printed and drew.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        Where a cell fails.
    """
    notebook = jupytext.read(script)
    NotebookClient(notebook, timeout=_CELL_SECONDS, kernel_name="python3").execute()
    for number, cell in enumerate(notebook.cells):
        # What differs from run to run without meaning would make every run a change.
        cell["id"] = f"cell-{number}"
        cell.get("metadata", {}).pop("execution", None)
    written = out / f"{script.stem}.ipynb"
    nbformat.write(notebook, written)
    return written


def main() -> None:
    """Run what is named, else all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scripts", nargs="*", type=Path, help="all of this folder when left out")
    parser.add_argument("--out", type=Path, default=HERE, help="where the notebooks are written")
    given = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    for script in given.scripts or scripts():
        began = time.perf_counter()
        written = execute(HERE / script.name, given.out)
        print(f"{written} ({time.perf_counter() - began:.0f} s)", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
