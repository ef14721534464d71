from features.rows.row_types import ContactRow, DecisionRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, parse_time
from features.touchpoints.touchpoints import TouchpointRules
from nba.past import Past

NOW = parse_time("2026-06-15")
RULES = TouchpointRules(margin=0.5)


def test_reading_cuts_everything_strictly_before_as_of(tmp_path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        with store.writing() as writing:
            writing.touchpoints([TouchpointRow("c", NOW + d, f"t{d}", "visit") for d in (-1, 0, 1)])
            writing.contacts([ContactRow("c", NOW + d, {"n": d, f"k{d}": d}) for d in (-1, 0)])
            writing.decisions([DecisionRow(f"d{d}", "c", NOW + d, "mail") for d in (-1, 0)])
        past = Past.read(store, "c", NOW, RULES)
    assert past.times == [NOW - 1]
    assert past.traits == {"n": -1, "k-1": -1}
    assert [each.decision_id for each in past.decisions] == ["d-1"]


def test_nothing_is_empty() -> None:
    past = Past.nothing()
    assert past.is_empty and past.last_seen == {} and past.tenure(NOW) == 0
    assert past.revenue(RULES, NOW) == past.margin(RULES, NOW) == past.mean_margin(("order",), RULES) == 0


def test_margin_is_the_touchpoints_own_else_a_part_of_its_value(past_of, row) -> None:
    past = past_of(
        row(NOW - 3 * DAY, "order", value=100.0),
        row(NOW - 2 * DAY, "order", value=100.0, margin=10.0),
        row(NOW - DAY, "return", value=40.0),
        row(NOW - DAY, "order"),
    )
    assert past.revenue(RULES, NOW) == 160
    assert past.margin(RULES, NOW) == 40
    assert past.margin(RULES, NOW, within=2 * DAY) == -10
    assert past.mean_margin(("order",), RULES) == 20


def test_last_seen_is_the_latest_of_each_kind(past_of, row) -> None:
    past = past_of(row(NOW - DAY, "a"), row(NOW - 3 * DAY, "b"), row(NOW - 2 * DAY, "a"))
    assert past.last_seen == {"a": NOW - DAY, "b": NOW - 3 * DAY}
    assert past.tenure(NOW) == 3 * DAY
