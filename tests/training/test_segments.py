"""Claims about segments and classes: the figures are what the service would answer each, added up one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from features.rows.row_types import ContactRow
from features.store.store import Store
from features.times import DAY
from nba.actions import Catalogue
from nba.draw import Draw
from nba.engine import decide
from nba.partners.seen_answer import seen_answer
from nba.partners.visibility import OWNER_SIDE, Sight, sight_of
from nba.request import Request
from nba.settings import Settings, parse_settings
from tests.training import weighing_worlds
from tests.training.weighing_worlds import NOW, belief, of_request
from training.past import Past, read_past
from training.score_tasks import schema_of
from training.scoring import rows_of, score_table, seen_by_owner
from training.segments.classes import BANDS, NAMES, bands_of, classed, codes_of, counted
from training.segments.segments import count_segments

MORE = """
likely = { propensity_from = 0.4 }
has_points = { points_from = 1 }
of_north = { traits = { partner = "north" } }
nobody = { seen = ["moon_landing"] }
"""
N = 60
SOUTH = {"visible": '["segments", "propensities", "stage"]'}


@pytest.fixture(scope="module")
def settings() -> Settings:
    return parse_settings(weighing_worlds.TOML.replace("[segments]\n", "[segments]" + MORE))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('segments') / 'nba.db'}") as opened:
        weighing_worlds.write(opened, n=N)
        with opened.writing() as writing:
            writing.records("partners", [ContactRow("south", NOW - 300 * DAY, SOUTH)])
        yield opened


@pytest.fixture(scope="module")
def past(store: Store, settings: Settings) -> Past:
    return read_past(store, settings, NOW)


@pytest.fixture(scope="module")
def scores(past: Past, settings: Settings) -> pa.Table:
    return score_table(past, settings, belief(), advance=lambda n: None)


@pytest.fixture(scope="module")
def seen(store: Store, past: Past, settings: Settings) -> dict[str, tuple[Sight, dict[str, Any]]]:
    """What the owner's side is answered about each contact, one after the other."""
    catalogue, found = Catalogue.of(settings), {}
    for name in past.current():
        own = of_request(store, name)
        sight = sight_of(OWNER_SIDE, own.traits, past.tables.partners, settings.partners, NOW)
        answer = decide(Request(contact=name), own, belief(), catalogue, NOW, Draw(b"", "score")).to_json()
        found[name] = sight, seen_answer(answer, sight, name, settings)
    return found


def test_segments_are_counted_as_each_contact_is_answered(scores, past, settings, seen) -> None:
    row = count_segments(scores, past, settings, belief())
    body = row.body
    assert (row.name, row.at, body["model_version"]) == ("segments", NOW, "7")
    assert body["names"] == list(settings.segments) and len(set(body["asks"])) == len(body["names"])
    kinds = {sight.is_whole: sight for sight, _ in seen.values()}
    assert set(kinds) == {True, False} and any(s.is_nothing for s, _ in seen.values())
    told = {name: answer["segments"] for name, (sight, answer) in seen.items() if sight.shows("segments")}
    assert body["contacts"] == len(told) < len(seen)
    assert body["in_none"] == sum(not each for each in told.values())
    for i, a in enumerate(body["names"]):
        for j, b in enumerate(body["names"]):
            assert body["together"][i][j] == sum(a in each and b in each for each in told.values()), (a, b)
    assert body["together"][body["names"].index("nobody")] == [0] * len(body["names"])
    assert body["together"][body["names"].index("has_points")][body["names"].index("warm")] > 3
    for goal in settings.goals:
        chance = {name: answer["propensities"].get(goal, {}).get("probability") for name, (_, answer) in seen.items()}
        means = [body["chances"][goal]["everybody"], *body["chances"][goal]["each"]]
        for segment, mean in zip([None, *body["names"]], means, strict=True):
            known = [chance[n] for n, each in told.items() if segment in (None, *each) and chance[n] is not None]
            assert mean == (pytest.approx(np.mean(known)) if known else None)


def test_a_segment_made_of_traits_or_topics_is_not_told_of_contacts_that_partners_show_in_part(scores, past, settings):
    whole = past.tables.partners["south"]
    assert "contact" not in (whole.visible or ())
    counted_rows = count_segments(scores, past, settings, belief()).body
    size = dict(zip(counted_rows["names"], np.diag(counted_rows["together"]).tolist(), strict=True))
    told = dict(zip(scores.column("contact_id").to_pylist(), scores.column("segments").to_pylist(), strict=True))
    assert sum("of_north" in each for each in told.values()) > 0 == size["of_north"]


def test_the_file_keeps_its_columns_and_the_store_gets_more(scores, past, settings) -> None:
    assert seen_by_owner(scores, past, settings).schema.names == schema_of(settings).names
    assert "segments" not in schema_of(settings).names
    assert all(isinstance(row.body["segments"], list) for row in rows_of(scores))


def test_classes_are_those_of_last_years_revenue_one_by_one(scores, past, settings, seen, store) -> None:
    found = classed(scores, past, settings, belief())
    [figures, named] = found.figures
    body = figures.body
    whole = sorted(name for name, (sight, _) in seen.items() if sight.is_whole)
    revenue = {name: _revenue(of_request(store, name, NOW)) for name in whole}
    classes = _classes(revenue)
    assert dict(found.classes) == classes and set(classes.values()) == set(NAMES)
    # Of whom nothing is known but traits there is no chance.
    told = {name: seen[name][1]["propensities"].get("conversion") for name in whole}
    chance = {name: each["probability"] for name, each in told.items() if each is not None}
    assert (body["goal"], body["contacts"], body["unknown"]) == ("conversion", len(chance), len(whole) - len(chance))
    whole = list(chance)
    assert body["expected"] == pytest.approx(sum(chance.values()))
    for each in body["classes"]:
        own = [name for name in whole if classes[name] == each["class"]]
        assert each["contacts"] == len(own)
        assert each["revenue"] == pytest.approx(sum(revenue[name] for name in own))
        assert each["expected"] == pytest.approx(sum(chance[name] for name in own))
    band = {name: _band(chance[name], list(chance.values())) for name in whole}
    for i, row in enumerate(body["cells"]):
        for each, name in zip(row, NAMES, strict=True):
            own = [n for n in whole if band[n] == i and classes[n] == name]
            assert each["contacts"] == len(own)
            assert each["expected"] == pytest.approx(sum(chance[n] for n in own))
    missed = sorted((n for n in whole if band[n] == 0 and classes[n] in ("C", "none")), key=lambda n: (-chance[n], n))
    assert missed and body["missed"]["contacts"] == len(missed)
    assert body["missed"]["expected"] == pytest.approx(sum(chance[n] for n in missed))
    assert (named.name, named.at, dict(named.body)) == ("missed", 0, {"as_of": NOW, "contacts": missed[:50]})
    of_a = body["classes"][0]["contacts"]
    assert body["as_many"]["expected"] == pytest.approx(sum(sorted(chance.values(), reverse=True)[:of_a]))
    marked = {row.contact_id: found.marked(row).body.get("abc") for row in rows_of(scores)}
    assert marked == {name: classes.get(name) for name in seen}


def test_without_a_model_there_are_classes_and_no_figures(past, settings) -> None:
    scores = score_table(past, settings, None, advance=lambda n: None)
    found = classed(scores, past, settings, None)
    assert found.figures == () and set(found.classes.values()) == set(NAMES)
    body = count_segments(scores, past, settings, None).body
    assert body["chances"]["conversion"] == {"everybody": None, "each": [None] * len(body["names"])}


@tried(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.2, 0.3]) | st.floats(1e-4, 0.9999), st.sampled_from([0.0, 1.0, 50.0, 900.0])),
        min_size=1,
        max_size=60,
    )
)
def test_cells_add_up_and_equal_chances_are_never_parted(people: list[tuple[float, float]]) -> None:
    chance, revenue = (np.array(column, dtype=np.float64) for column in zip(*people, strict=True))
    codes = codes_of(revenue)
    found = counted(chance, revenue, codes)
    assert sum(cell["contacts"] for row in found["cells"] for cell in row) == len(people)
    assert sum(cell["expected"] for row in found["cells"] for cell in row) == pytest.approx(chance.sum())
    assert [sum(row[j]["contacts"] for row in found["cells"]) for j in range(len(NAMES))] == [
        each["contacts"] for each in found["classes"]
    ]
    band, lowest = bands_of(chance)
    assert band.tolist() == [_band(p, chance.tolist()) for p in chance.tolist()]
    assert lowest == sorted(lowest, reverse=True)
    assert found["as_many"]["expected"] >= found["classes"][0]["expected"] - 1e-9


def _revenue(past: Any) -> float:
    """Add up the orders of the year before, touchpoint by touchpoint."""
    t, total = past.touchpoints, 0.0
    for at, kind, value, outbound in zip(t.occurred_at, t.kind, t.value, t.outbound, strict=True):
        if t.kinds[kind] == "order" and not outbound and NOW - 365 * DAY <= at < NOW and value == value:
            total += float(value)
    return total


def _classes(revenue: dict[str, float]) -> dict[str, str]:
    """Take the largest until 80 % are together, then until 95 %; equal ones are alike."""
    total, so_far, least = sum(revenue.values()), 0.0, {"A": math.inf, "B": math.inf}
    for value in sorted(revenue.values(), reverse=True):
        if so_far < 0.80 * total:
            least["A"] = least["B"] = value
        elif so_far < 0.95 * total:
            least["B"] = value
        so_far += value
    return {
        name: "none" if value <= 0 else "A" if value >= least["A"] else "B" if value >= least["B"] else "C"
        for name, value in revenue.items()
    }


def _band(chance: float, everybody: list[float]) -> int:
    higher = sum(other > chance for other in everybody)
    return next(i for i in range(BANDS) if higher < math.ceil(len(everybody) * (i + 1) / BANDS))
