"""Worklists and what-if lists as CSV: no cell is a formula, and every text can be had back."""

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba.safe_csv import text_of
from training.everybody import whatif_list
from training.plan import file, rows

TEXTS = st.one_of(st.text("=+-@\t '＝ab1\"\n,;", max_size=6), st.text(max_size=6))


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as written:
        return list(csv.DictReader(written))


@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_no_cell_of_a_worklist_is_a_formula(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("plan") / "plan.csv"
    made: dict[str, Any] = {**dict.fromkeys(rows.COLUMNS, texts[0]), "priority": -1.5, "reasons": texts}
    file.write_rows([made], path)
    (found,) = read(path)
    assert float(found["priority"]) == -1.5
    assert all(not cell.lstrip().startswith(tuple("=+-@＝")) for name, cell in found.items() if name != "priority")
    assert text_of(found["reasons"]) == "; ".join(texts) and text_of(found["contact_id"]) == texts[0]


@pytest.mark.parametrize("name", ["=1+1", "+41791234567", "crm:1"])
def test_no_cell_of_a_what_if_list_is_a_formula(tmp_path, name):
    path = tmp_path / "changed.csv"
    whatif_list.write_rows([dict(zip(whatif_list.COLUMNS, (name, "a", "b", "2026-01-01", 3), strict=True))], path)
    (found,) = read(path)
    assert found["contact_id"][0] in "'c" and text_of(found["contact_id"]) == name and found["moments"] == "3"
