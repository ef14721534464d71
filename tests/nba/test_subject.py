"""Claims about what a recommendation is about: the device and event of its occasion, the product that suits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.rows.row_types import DecisionRow, RecordRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, parse_time
from nba.actions import Catalogue, about_same
from nba.cli import main
from nba.draw import Draw
from nba.engine import decide
from nba.interests import FADED, Interests
from nba.past import Past
from nba.request import Request
from nba.tables.surroundings import Alone
from nba.tables.tables import Asset, Content, Event, Product, Subject, Tables

NOW = parse_time("2026-06-15T10:00:00Z")
TOML = """
[points]
thresholds = [{ from = 0, actions = ["call"] }]
[ranking]
epsilon = 0.0
[actions.call]
channel = "phone"
topics = ["pumps", "service"]
"""


@dataclass(frozen=True)
class Around(Alone):
    """Catalogues and devices in memory."""

    known: Tables = field(default_factory=Tables)
    owned: Sequence[Asset] = ()

    def tables(self) -> Tables:
        return self.known

    def assets(self) -> Sequence[Asset]:
        return self.owned


def about(catalogue: Catalogue, past: Past, action: str = "call", **more: Any) -> Subject:
    found = decide(Request("crm:1", **more), past, None, catalogue, NOW, Draw(b"s"))
    return next(each.subject for each in found.recommendations if each.action == action)


@pytest.fixture
def products() -> Tables:
    listed = [
        Product("basic", ("pumps/basic",), 50.0), Product("vacuum", ("pumps/vacuum",), 80.0),
        Product("vacuum plus", ("pumps/vacuum",), 90.0), Product("valve", ("valves",), 900.0), Product("free", (), 9e9),
    ]  # fmt: skip
    return Tables(products={each.product_id: each for each in listed})


def test_the_product_is_about_what_interests_and_not_owned(
    catalogue_of: Callable[[str], Catalogue], past_of: Callable[..., Past], row: Any, products: Tables
) -> None:
    catalogue, around = catalogue_of(TOML), Around(products)
    looked = [
        row(NOW - 9 * DAY, "page_view", topics=["pumps/basic"]),
        row(NOW - 200 * DAY, "page_view", topics=["pumps/vacuum"]),
    ]
    assert about(catalogue, past_of(*looked, around=around)).product_id == "basic"
    more = row(NOW - DAY, "page_view", topics=["pumps/vacuum"])
    assert about(catalogue, past_of(*looked, more, around=around)).product_id == "vacuum plus"
    bought = row(NOW - DAY, "order", value=5.0, product_id="vacuum plus")
    assert about(catalogue, past_of(*looked, more, bought, around=around)).product_id == "vacuum"
    owns = Around(products, [Asset("a", "vacuum plus"), Asset("b", "vacuum")])
    assert about(catalogue, past_of(*looked, more, around=owns)).product_id == "basic"
    everything = Around(products, [Asset(name, name) for name in products.products])
    assert about(catalogue, past_of(*looked, more, around=everything)).product_id is None


def test_the_product_an_action_offers_is_the_one_it_is_not_for_owners_of(
    catalogue_of: Callable[[str], Catalogue], past_of: Callable[..., Past], row: Any, products: Tables
) -> None:
    catalogue = catalogue_of(TOML + 'unless_owned = "valve"')
    assert about(catalogue, past_of(row(NOW - DAY, "visit"), around=Around(products))).product_id == "valve"


def test_an_occasion_says_which_device_and_which_event(
    catalogue_of: Callable[[str], Catalogue], past_of: Callable[..., Past], row: Any, products: Tables
) -> None:
    catalogue = catalogue_of(
        """
[points]
thresholds = [{ from = 0, actions = ["fair", "call"] }]
[ranking]
epsilon = 0.0
[actions.call]
channel = "phone"
topics = ["pumps"]
when = { asset = "next_service_on", within = "14d" }
[actions.fair]
channel = "email"
when = { event = "starts_at", from = "-21d", to = "-3d" }
"""
    )
    owned = [
        Asset("p-1", "basic", more={"next_service_on": "2026-09-01"}),
        Asset("p-2", "vacuum", more={"next_service_on": "2026-06-20"}),
    ]
    past = past_of(row(NOW - DAY, "visit"), around=Around(products, owned))
    assert about(catalogue, past) == Subject(product_id="vacuum", asset_id="p-2")
    fair = Event("fair", NOW + 10 * DAY)
    past = past_of(row(NOW - DAY, "visit"), around=Around(Tables(events={"fair": fair})))
    assert about(catalogue, past, "fair") == Subject(event_id="fair")


def test_without_an_occasion_it_is_the_next_event_that_may_interest(
    catalogue_of: Callable[[str], Catalogue], past_of: Callable[..., Past], row: Any
) -> None:
    listed = [
        Event("over", NOW - 1, topics=("pumps",)), Event("full", NOW + 1, topics=("pumps",), seats=0),
        Event("fr", NOW + 1, topics=("pumps",), language="fr"), Event("valves", NOW + 1, topics=("valves",)),
        Event("late", NOW + 9 * DAY, topics=("pumps",)), Event("next", NOW + DAY, topics=("pumps",)),
    ]  # fmt: skip
    around = Around(Tables(events={each.event_id: each for each in listed}))
    looked = row(NOW - DAY, "page_view", topics=["pumps"])
    assert about(catalogue_of(TOML), past_of(looked, traits={"language": "de"}, around=around)).event_id == "next"
    faded = row(NOW - 100 * DAY, "page_view", topics=["pumps"])
    assert about(catalogue_of(TOML), past_of(faded, around=around)).event_id is None


def test_what_goes_out_to_read_is_what_it_has_not_read(
    catalogue_of: Callable[[str], Catalogue], past_of: Callable[..., Past], row: Any
) -> None:
    catalogue = catalogue_of(TOML + 'placements = ["outbound", "infocenter"]')
    listed = [Content("a", "A", ("pumps",)), Content("b", "B", ("pumps",)), Content("c", "C", ("valves",))]
    around = Around(Tables(content={each.content_id: each for each in listed}))
    looked = row(NOW - DAY, "page_view", topics=["pumps"])
    assert about(catalogue, past_of(looked, around=around)).content_id == "a"
    read = row(NOW - DAY, "content_read", content_id="a")
    assert about(catalogue, past_of(looked, read, around=around)).content_id == "b"
    assert about(catalogue_of(TOML), past_of(looked, around=around)).content_id is None


def test_the_log_tells_what_it_was_about_and_what_is_given_again_stays_so(
    catalogue_of: Callable[[str], Catalogue], past_of: Callable[..., Past], row: Any, products: Tables
) -> None:
    catalogue, around = catalogue_of(TOML), Around(products)
    looked = row(NOW - 9 * DAY, "page_view", topics=["pumps/basic"])
    fresh = decide(Request("crm:1"), past_of(looked, around=around), None, catalogue, NOW, Draw(b"s"))
    assert fresh.is_new and (fresh.row().properties or {})["product_id"] == "basic"
    held = DecisionRow(
        "d", "crm:1", NOW - DAY, "call", chances={"do_nothing": 0.1, "call": 0.9}, policy="learned",
        properties={"product_id": "vacuum"},
    )  # fmt: skip
    found = decide(Request("crm:1"), past_of(looked, decisions=[held], around=around), None, catalogue, NOW, Draw(b"s"))
    assert not found.is_new and found.recommendations[0].subject.product_id == "vacuum"


@given(st.lists(st.tuples(st.integers(1, 400 * DAY), st.sampled_from(["p", "p/q", "v"]), st.booleans()), max_size=8))
def test_interest_is_the_faded_sum_of_what_it_looked_at_itself(
    past_of: Callable[..., Past], row: Any, looks: list[tuple[int, str, bool]]
) -> None:
    rows = [
        row(NOW - age, "page_view", topics=[topic], direction="outbound" if sent else None)
        for age, topic, sent in looks
    ]
    found = Interests.of(past_of(*rows), NOW, 30 * DAY)
    own = [(age, topic) for age, topic, sent in looks if not sent]
    for wanted in ("p", "p/q", "v", "x"):
        level = sum(2.0 ** (-age / (30 * DAY)) for age, topic in own if about_same(topic, [wanted]))
        assert found.level([wanted]) == pytest.approx(level, rel=1e-9)
        assert found.is_new([wanted]) == (not any(about_same(topic, [wanted]) for _, topic in own))


def test_outcomes_of_ours_are_no_interest_and_the_moment_counts_as_a_look(
    past_of: Callable[..., Past], row: Any
) -> None:
    past = past_of(row(NOW - DAY, "rejected", topics=["pumps"]), row(NOW - DAY, "consent_withdrawn", topics=["pumps"]))
    assert Interests.of(past, NOW, DAY).is_new(["pumps"])
    assert Interests.of(past, NOW, DAY, now="pumps").level(["pumps"]) == 1.0
    assert Interests.of(Past.nothing(), NOW, DAY).level(["pumps"]) == 0.0
    old = past_of(row(NOW - 3 * DAY, "visit", topics=["pumps"]))
    assert Interests.of(old, NOW, DAY).level(["pumps"]) == FADED
    assert np.isclose(Interests.of(old, NOW, DAY).level(["pumps/vacuum", "valves"]), FADED)


def test_the_command_names_what_it_is_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nba.toml").write_text(TOML)
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store, store.writing() as writing:
        writing.touchpoints([TouchpointRow("crm:1", NOW - DAY, "t", "page_view", topics='["pumps"]')])
        writing.records("products", [RecordRow("vacuum", NOW - 9 * DAY, {"topic": "pumps"})])
        writing.records("products", [RecordRow("newer", NOW, {"topic": "pumps", "margin": 9.0})])
    assert main(["recommend", "crm:1", "--as-of", "2026-06-15T10:00:00Z"]) == 0
    assert "call (product vacuum): " in capsys.readouterr().out
