"""Every figure of every page is the one that programs, views and commands are told, in its row and its column."""

import copy

import pytest

from serving.dashboard.dashboard import PAGES
from tests.serving.dashboard.read_cells import falsified
from tests.serving.dashboard.read_figures import unexplained
from tests.serving.dashboard.told_pages import NAMES, TOLD, expected, said
from tests.serving.dashboard.walked import LANGUAGES, PEOPLE, SOBER, World

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    from tests.serving.conftest import SETTINGS, Local

    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("figures") / "world"
        folder.mkdir()
        sober = SETTINGS.replace("epsilon = 0.2\n", "") + SOBER
        yield World(lambda more: Local(folder, SETTINGS + more), lambda where: Local(where, sober), monkeypatch)


def test_no_page_shows_a_figure_that_nothing_else_tells(world):
    assert len(world.pages) > 50
    left = {}
    for (path, language), page in world.pages.items():
        name = next((each.name for each in PAGES if each.path == path.partition("?")[0]), None)
        found, more = world.sources(path, language)
        left[path, language] = unexplained(
            page, name or {"c": "contact", "a": "account"}[path[1]], found, more, language
        )
    assert {where: figures for where, figures in left.items() if figures} == {}


def test_each_cell_and_line_is_that_of_its_source(world):
    found = {where: expected(world, *where) for where in world.pages}
    held = {where: each for where, each in found.items() if each is not None}
    assert {where[0].split("/")[1].partition("?")[0] for where in held} == {NAMES.get(name, name) for name in TOLD}
    wrong = {where: each.wrong(world.pages[where]) for where, each in held.items()}
    assert {where: each for where, each in wrong.items() if each} == {}


@pytest.mark.parametrize("name", TOLD)
def test_each_figure_that_is_falsified_is_noticed(world, name):
    """Make each figure of a page another one: what is not noticed is in the page's own words, or is listed."""
    tried, left = 0, []
    for (path, language), page in world.pages.items():
        right = expected(world, path, language)
        if right is None or path.split("/")[1].partition("?")[0] != NAMES.get(name, name):
            continue
        for where, other in falsified(page):
            tried += 1
            is_noticed = bool(right.wrong(other)) or said(where, path, language)
            left += [(path, language, where)] * (not is_noticed)
    assert tried > 10
    assert left == []


@pytest.mark.parametrize(("name", "path", "source", "row", "column"), [
    ("lift", "/actions", "v_action_lift", 0, "successes"),
    ("lift", "/actions", "v_action_lift", 1, "holdout_decisions"),
    ("daily", "/actions?since=ever", "v_decisions_daily", 0, "decisions"),
    ("daily", "/actions", "v_decisions_daily", 3, "carried_out"),
    ("quality", "/model", "v_data_quality", 0, "row_count"),
    ("versions", "/model", "v_model_versions", 0, "decisions"),
    ("timeline", f"/contacts/{PEOPLE[1]}", "v_contact_timeline", PEOPLE[1], "occurred_us"),
    ("chances", "/classes", "v_propensities", None, "probability"),
])  # fmt: skip
def test_a_source_that_says_otherwise_is_noticed(world, name, path, source, row, column):
    other = copy.copy(world)
    rows = [dict(each) for each in world.views[source]]
    for i, each in enumerate(rows):
        if row in (i, i - len(rows), None) or row == each.get("contact_id"):
            each[column] += 1
    other.views = {**world.views, source: rows}
    for language in LANGUAGES:
        assert _is_noticed(other, path, language)


def _is_noticed(other, path, language):
    try:
        told = expected(other, path, language)
        return told is not None and bool(told.wrong(other.pages[path, language]))
    except AssertionError:
        # What the API says is held against the view before the page is.
        return True


def test_points_add_up_to_their_total(world):
    for who in PEOPLE:
        points = world.api[f"/v1/contacts/{who}", "en"]["points"]
        rows = next(
            (rows for caption, rows in world.read(f"/contacts/{who}").tables.items() if rows[0][-1:] == ["Points"]),
            None,
        )
        shown = [] if rows is None else [float(row[-1].replace(",", "")) for row in rows[1:]]
        assert sum(shown[:-1]) == sum(each["points"] for each in points["log"]) == points["total"]
        assert shown[-1:] in ([], [points["total"]])


def test_the_list_of_today_is_the_apis_and_the_views(world):
    best = {row["contact_id"]: row for row in world.views["v_next_best_action"]}
    chances = {(row["contact_id"], row["goal"]): row for row in world.views["v_propensities"]}
    told = world.api["/v1/worklist", "en"]["contacts"]
    assert any(each["propensity"] for each in told)
    # Who came after the scoring stands there because of an open decision.
    assert all(each["decision_id"] for each in told if each["contact_id"] not in best)
    for each in (each for each in told if each["contact_id"] in best):
        row, chance = best[each["contact_id"]], each["propensity"]
        assert (row["action_1"], row["stage"]) == (each["action"], each["stage"])
        if chance is not None:
            # Scored an hour before the list was read.
            scored = chances[each["contact_id"], chance["goal"]]["probability"]
            assert chance["probability"] == pytest.approx(scored, abs=0.02)
