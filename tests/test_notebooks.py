"""Claims about the notebooks: each runs on small data without a warning, and its pair says the same."""

import os
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "notebooks").glob("[0-9]_*.py"))


def test_there_are_notebooks():
    assert [script.name[0] for script in SCRIPTS] == list("123456")[: len(SCRIPTS)]
    assert SCRIPTS


LONG = ("2", "3", "5", "6")
"""Notebooks that train several times, which takes minutes; their parts are tested where they stand."""
RUN = [pytest.param(each, marks=[pytest.mark.slow] if each.name[0] in LONG else [], id=each.stem) for each in SCRIPTS]


@pytest.mark.parametrize("script", RUN)
def test_a_notebook_runs_on_small_data(script, tmp_path):
    contacts = "400" if script.name[0] in LONG else "150"
    given = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "NBA_NOTEBOOK_CONTACTS": contacts}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path, env=given, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_notebook_says_what_its_script_says_and_has_pictures(script):
    paired = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    assert [(c.cell_type, c.source) for c in paired.cells] == [
        (c.cell_type, c.source) for c in jupytext.read(script).cells
    ], "make notebooks"
    outputs = [output for cell in paired.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert str(ROOT) not in script.with_suffix(".ipynb").read_text()
