"""Claims about what thresholds are worth: every contact counts once, where its points say, and is counted by hand."""

import json

import pytest

from features.rows.row_types import ScoreRow, TouchpointRow
from features.store.figures import latest_figure
from features.store.store import Store
from features.times import DAY, parse_time
from nba.cli import main

NOW = parse_time("2026-06-01")
SETTINGS = """
[goals.conversion]
kinds = ["order"]
horizon = "10d"
[snapshots]
every = "10d"
[points]
kinds = { visit = 10 }
once = []
thresholds = [{ below = 30, actions = ["mail"] }, { from = 30, actions = ["call"] }]
[actions.mail]
channel = "email"
[actions.call]
channel = "phone"
[contact_policy.consent]
profiling = "opt_out"
"""
VISITS = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nba.toml").write_text(SETTINGS)
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store, store.writing() as writing:
        rows = [
            TouchpointRow(name, NOW - 60 * DAY + n, f"{name}{n}", kind="visit")
            for name, visits in VISITS.items()
            for n in range(visits)
        ]
        # The last moment whose outcome is known is the horizon before the last touchpoint.
        rows += [TouchpointRow(name, NOW - 4 * DAY, f"order-{name}", kind="order") for name in ("b", "d", "e")]
        rows.append(TouchpointRow("a", NOW - 2 * DAY, "last", kind="page_view"))
        writing.touchpoints(rows)
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store:
        store.save_scores(
            ScoreRow(name, NOW - DAY, None, 10.0 * n, {"p_conversion": n / 10}, "1") for name, n in VISITS.items()
        )
    assert main(["views", "refresh"]) == 0
    return tmp_path


def checked(capsys, *more):
    capsys.readouterr()
    assert main(["points", "check", "--as-of", "2026-06-01", "--json", *more]) == 0
    return json.loads(capsys.readouterr().out)


def test_who_passed_and_what_came_of_it_is_what_is_counted_by_hand(folder, capsys) -> None:
    found = checked(capsys)
    below, above = found["thresholds"]
    assert (below["before"]["contacts"], below["before"]["reached"]) == (2, 1)
    assert (above["before"]["contacts"], above["before"]["reached"]) == (3, 2)
    assert (below["now"], above["now"]) == ({"contacts": 2, "chance": 0.15}, {"contacts": 3, "chance": 0.4})
    assert [each["actions"] for each in (below, above)] == [["mail"], ["call"]]
    assert found["everybody"]["before"] == {"contacts": 5, "reached": 3, "share": 0.6, "interval": [0.2307, 0.8824]}
    assert found["goal"] == "conversion" and found["within_days"] == 10 and found["version"] == 0


def test_it_is_kept_for_the_page_as_of_the_moment_it_was_asked_for(folder, capsys) -> None:
    found = checked(capsys, "--keep")
    with Store.open(f"sqlite:///{folder}/nba.db") as store:
        assert latest_figure(store, "thresholds", NOW) is None
        kept = latest_figure(store, "thresholds", NOW + 1)
    assert kept is not None and dict(kept.body) == found


def test_an_empty_store_has_nothing_to_tell_and_says_so(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nba.toml").write_text(SETTINGS)
    found = checked(capsys)
    assert found["looked_at"] is None and found["ladder"] == []
    assert all(each["now"]["contacts"] == 0 and each["before"]["share"] is None for each in found["thresholds"])
    assert main(["points", "check", "--as-of", "2026-06-01"]) == 0
    assert "nothing has happened long enough ago" in capsys.readouterr().out
