"""Claims about ``nba score``: everybody is in one of its counts, and who has no score is said."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.rows.row_types import ContactRow, LinkRow, ScoreRow, TouchpointRow
from features.store.line import scores_in_line
from features.store.store import Store
from features.times import DAY, parse_time
from nba.cli import main
from nba.in_line import BEGIN
from tests.training.weighing_worlds import belief
from training.commands.score import _graded

NOW = parse_time("2026-06-17T10:00:00Z")
OBJECTORS = ("a0", "a1", "p0")
AGREED = ("a2", "p1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six contacts of the owner's, seven of a partner's; ``cookie`` and ``a0`` are one person."""
    (tmp_path / "nba.toml").write_text('[store]\nurl = "sqlite:///nba.db"\n', encoding="utf-8")
    names = [*(f"a{i}" for i in range(6)), *(f"p{i}" for i in range(7))]
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store, store.writing() as writing:
        writing.touchpoints([TouchpointRow(name, NOW - DAY, f"t{name}", "visit") for name in (*names, "cookie")])
        writing.links([LinkRow("cookie", "a0", NOW - DAY, "login", None)])
        word = '{"channel": "profiling"}'
        writing.touchpoints([TouchpointRow(n, NOW - DAY, f"o{n}", "objection", properties=word) for n in OBJECTORS])
        writing.touchpoints([TouchpointRow(n, NOW - DAY, f"g{n}", "consent_given", properties=word) for n in AGREED])
        writing.contacts([ContactRow(n, NOW - 9 * DAY, {"partner": "north"}) for n in names if n.startswith("p")])
    return tmp_path


def score(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    file = str(folder / "s.parquet")
    status = main(
        ["--config", str(folder / "nba.toml"), "score", "--as-of", "2026-06-17T10:00Z", "--out", file, *words]
    )
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def test_who_objects_to_profiling_is_counted_and_said_but_not_a_partners(folder, capsys) -> None:
    status, out, _ = score(folder, capsys, "--json")
    found = json.loads(out)
    assert status == 0
    # Of the partner's seven one objects, of which nothing is told.
    assert (found["contacts"], found["kept_by_partners"], found["not_profiled"]) == (4, 6, 2)
    assert (found["as_of"], found["model_version"]) == ("2026-06-17T10:00:00Z", None)
    assert pq.read_table(found["file"]).column("contact_id").to_pylist() == ["a2", "a3", "a4", "a5"]
    _, out, err = score(folder, capsys)
    assert "4 contacts scored" in out and "2 more have no score, because they object to profiling\n" in err


def test_who_never_agreed_is_counted_where_agreement_is_asked_for(folder, capsys) -> None:
    with (folder / "nba.toml").open("a", encoding="utf-8") as file:
        file.write('[contact_policy.consent]\nprofiling = "opt_in"\n')
    _, out, err = score(folder, capsys, "--json")
    assert (json.loads(out)["contacts"], json.loads(out)["not_profiled"]) == (1, 5)
    assert "gave no opt_in" in score(folder, capsys)[2]
    # Nobody is left: the sentence says why, and not that there are no touchpoints.
    with Store.open(f"sqlite:///{folder / 'nba.db'}") as store, store.writing() as writing:
        word = '{"channel": "profiling"}'
        writing.touchpoints([TouchpointRow(n, NOW - 1, f"x{n}", "consent_withdrawn", properties=word) for n in AGREED])
    status, out, err = score(folder, capsys)
    assert status == 1 and out == "" and "may not be profiled, by objection or for want of consent" in err


def test_views_show_the_scores_that_the_file_has(folder, capsys) -> None:
    assert score(folder, capsys)[0] == 0
    with closing(sqlite3.connect(f"file:{folder / 'nba.db'}?mode=ro", uri=True)) as reader:
        found = reader.execute("SELECT contact_id, scored_at FROM v_next_best_action ORDER BY contact_id").fetchall()
        assert found == [(name, "2026-06-17T10:00:00.000000Z") for name in ("a2", "a3", "a4", "a5")]
        names = {row[0] for row in reader.execute("SELECT identity FROM v_contact_timeline")}
        assert names == {"cookie", *(f"a{i}" for i in range(6))}


def test_grades_are_kept_with_the_scores_because_views_cannot_work_them_out() -> None:
    found = belief()
    row = ScoreRow("a", NOW, None, None, {"p_conversion": 0.3, "p_churn": None}, "7")
    assert _graded(row, found).body["grades"] == {"conversion": found.grade("conversion", 0.3)}
    assert _graded(row, None) == row


def test_what_it_cannot_write_is_refused_before_any_work(folder, capsys) -> None:
    assert score(folder, capsys, "--out", "scores.csv")[0] == 2
    assert score(folder, capsys, "--out", "no/such/folder/s.parquet")[0] == 1
    assert score(folder, capsys, "--as-of", "soon")[::2] == (
        2, "--as-of: 'soon' is not a time; write ISO 8601 such as 2026-11-21T10:00:00Z\n"
    )  # fmt: skip


def test_what_people_have_to_do_is_put_in_line_with_whose_contact_it_is(folder, capsys) -> None:
    with (folder / "nba.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[actions.sales_call]\nchannel = "phone"\n[actions.dealer_call]\nchannel = "phone"\nexecutor = "partner"\n'
            "[points]\nkinds = { visit = 5 }\n"
            'thresholds = [{ from = 5, actions = ["sales_call", "dealer_call"] }]\n'
        )
    with Store.open(f"sqlite:///{folder / 'nba.db'}") as store:
        with store.writing() as writing:
            writing.touchpoints([TouchpointRow("a5", NOW - DAY, "again", "visit")])
            writing.contacts([ContactRow("a5", NOW - DAY, {"owner": "jane"})])
        assert score(folder, capsys)[0] == 0
        found = scores_in_line(store, BEGIN, 99)
        own = scores_in_line(store, BEGIN, 99, owner="jane")
    # The partner's too, of which only the partner is told; who has more points comes first.
    assert [row.contact_id for row in found] == ["a5", "a2", "a3", "a4", *(f"p{n}" for n in range(1, 7))]
    assert [row.work for row in found] == ["sales_call"] * 4 + ["dealer_call"] * 6
    assert [(row.contact_id, row.owner, row.partner) for row in own] == [("a5", "jane", None)]
    assert {row.partner for row in found[4:]} == {"north"}
