"""Results go to stdout, all else to stderr."""

import io
import json

import numpy as np
import pytest

from features.frozen import Frozen
from nba import output
from nba.output import Output


@pytest.fixture
def streams() -> tuple[io.StringIO, io.StringIO]:
    return io.StringIO(), io.StringIO()


def test_json_knows_our_numbers_and_mappings(streams: tuple[io.StringIO, io.StringIO]) -> None:
    out = Output(*streams)
    out.json({"a": np.float64(0.5), "b": float("nan"), "c": np.arange(2), "d": Frozen({"x": (1, 2)}), 3: "ü"})
    assert json.loads(streams[0].getvalue()) == {
        "a": 0.5,
        "b": None,
        "c": [0, 1],
        "d": {"x": [1, 2]},
        "3": "ü",
    }
    assert streams[1].getvalue() == ""


def test_table_is_aligned(streams: tuple[io.StringIO, io.StringIO]) -> None:
    Output(*streams).table(("model", "auc"), [("points", 0.61234), ("learned", None)])
    assert streams[0].getvalue() == "model       auc\n-------  ------\npoints   0.6123\nlearned       -\n"


def test_progress_is_silent_when_short_and_plain_lines_when_long(
    streams: tuple[io.StringIO, io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Output(*streams).progress("rows", total=10) as progress:
        progress.advance(10)
    assert streams[1].getvalue() == ""
    monkeypatch.setattr(output, "_SECONDS_BETWEEN_LINES", 0.0)
    with Output(*streams).progress("rows", total=2000) as progress:
        progress.advance(2000)
    assert streams[1].getvalue() == "rows: 2,000 of 2,000\n" * 2


def test_progress_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    notes = io.StringIO()
    monkeypatch.setattr(notes, "isatty", lambda: True, raising=False)
    with Output(io.StringIO(), notes).progress("rows", total=3) as progress:
        progress.advance(3)
    assert "rows" in notes.getvalue()
