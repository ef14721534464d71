"""Claims about training rows: each sentence of the contract, and a slow loop that must find the same rows."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.store.store import Store
from features.times import DAY, HOUR, iso, parse_time
from features.touchpoints.touchpoints import Touchpoints
from nba.settings.goals import After, Among, Goal, Snapshots, Until
from tests.features.worlds import RULES, row
from training.dataset import calendar_snapshots, data_end, describe, make_rows
from training.rows.row_split import split_rows

HORIZON = 10 * DAY
BUY = Goal("buy", ("order",), (), HORIZON, "sum", snapshots=Snapshots(every_us=5 * DAY))
CHURN = replace(BUY, name="churn", kinds=(), absence_of=("order",))
SENT = replace(BUY, snapshots=Snapshots(every_us=None, after=After("email_sent")))


def world(*rows):
    return Touchpoints.from_rows(rows, RULES)


def made(touchpoints, goal, now=2**61):
    return make_rows(touchpoints, goal, RULES, data_end(touchpoints, now))


def listed(touchpoints, rows):
    """(contact, as_of, until, label, value, id of its own touchpoint) of each row."""
    return [
        (touchpoints.contacts[c], a, u, bool(y), round(v, 6), touchpoints.touchpoint_id[o] if o >= 0 else None)
        for c, a, u, y, v, o in zip(rows.contact, rows.as_of, rows.until, rows.label, rows.value, rows.own, strict=True)
    ]


def visits(*days, who="ann"):
    return [row(who, int(day * DAY), int(day * 10) + 7) for day in days]


def test_data_end_is_the_earlier_of_now_and_the_latest_touchpoint():
    t = world(*visits(1, 9))
    assert data_end(t, 20 * DAY) == 9 * DAY and data_end(t, 8 * DAY) == 8 * DAY
    assert data_end(world(), 8 * DAY) == 8 * DAY
    assert data_end(world(*visits(-50, -40)), 0) == -40 * DAY


def test_snapshots_go_back_from_data_end_less_the_horizon_at_midnight_utc():
    assert [t / DAY for t in calendar_snapshots(0, 100 * DAY + 3 * HOUR, 28 * DAY, 14 * DAY)] == [30, 44, 58, 72]


def test_the_first_snapshot_is_a_horizon_after_the_first_touchpoint():
    moments = calendar_snapshots(5 * DAY + 1, 100 * DAY, HORIZON, 5 * DAY)
    assert moments[0] == 20 * DAY  # day 15 lies a microsecond short of a horizon
    assert calendar_snapshots(5 * DAY, 100 * DAY, HORIZON, 5 * DAY)[0] == 15 * DAY
    assert len(calendar_snapshots(0, 19 * DAY, HORIZON, 5 * DAY)) == 0


@given(
    st.integers(-400 * DAY, 400 * DAY), st.integers(0, 300 * DAY), st.integers(1, 40 * DAY), st.integers(HOUR, 40 * DAY)
)
def test_snapshots_are_every_midnight_that_the_contract_names(first, length, horizon, every):
    end = first + length
    expected, moment = set(), end - horizon
    while moment >= first + horizon:
        midnight = moment // DAY * DAY
        expected |= {midnight} if midnight >= first + horizon else set()
        moment -= every
    assert calendar_snapshots(first, end, horizon, every).tolist() == sorted(expected)


def test_a_calendar_row_needs_a_touchpoint_strictly_before():
    t = world(*visits(0, 40), row("bob", 30 * DAY, 1), row("bob", 20 * DAY, 2), row("cid", 25 * DAY, 3))
    assert [(c, a / DAY) for c, a, *_ in listed(t, made(t, BUY))] == [
        ("ann", 10), ("ann", 15), ("ann", 20), ("ann", 25), ("bob", 25), ("ann", 30), ("bob", 30), ("cid", 30),
    ]  # fmt: skip


def test_an_outcome_lies_in_the_half_open_horizon():
    at_start, at_end = row("ann", 20 * DAY, 1, "order"), row("ann", 40 * DAY, 2, "order")
    t = world(*visits(0, 50), at_start, at_end)
    labels = {a / DAY: y for _, a, _, y, _, _ in listed(t, made(t, BUY))}
    assert labels == {10: False, 15: True, 20: True, 25: False, 30: False, 35: True, 40: True}
    assert {a / DAY: y for _, a, _, y, _, _ in listed(t, made(t, CHURN))} == {day: not y for day, y in labels.items()}


def test_a_row_whose_horizon_ends_after_the_data_is_censored_and_counted():
    mails = [row("ann", int(day * DAY), n, "email_sent") for n, day in enumerate((0, 5, 10, 12))]
    t = world(*mails, row("ann", 20 * DAY, 9))
    rows = made(t, SENT)
    assert [a / DAY for a in rows.as_of] == [0, 5, 10] and rows.censored == 1
    assert made(t, SENT, now=20 * DAY - 1).censored == 2


def test_the_touchpoint_itself_counts_for_existence_but_not_as_outcome():
    after_order = replace(BUY, snapshots=Snapshots(every_us=None, after=After("order")))
    t = world(row("ann", 0, 1, "order", value=9), row("ann", 3 * DAY, 2, "order", value=5), *visits(20))
    assert listed(t, made(t, after_order)) == [
        ("ann", 0, HORIZON, True, 1.5, "000001"), ("ann", 3 * DAY, 3 * DAY + HORIZON, False, 0.0, "000002"),
    ]  # fmt: skip
    absent = replace(after_order, kinds=(), absence_of=("order",))
    assert made(t, absent).label.tolist() == [False, True]


def test_another_touchpoint_of_the_same_moment_is_an_outcome():
    after_order = replace(BUY, snapshots=Snapshots(every_us=None, after=After("order")))
    t = world(row("ann", 0, 1, "order"), row("ann", 0, 2, "order"), *visits(20))
    assert made(t, after_order).label.tolist() == [True, True]


def test_a_delay_moves_the_row_and_its_horizon():
    t = world(row("ann", 0, 1, "email_sent"), row("ann", DAY, 2, "order"), *visits(30))
    late = replace(SENT, snapshots=Snapshots(every_us=None, after=After("email_sent", 2 * DAY)))
    assert listed(t, made(t, late)) == [("ann", 2 * DAY, 12 * DAY, False, 0.0, "000001")]
    assert made(t, SENT).label.tolist() == [True]


def test_a_horizon_until_a_property_ends_there_and_without_one_the_row_is_counted_as_endless():
    ends = [
        "1970-01-03", "1970-01-03T00:00:00Z", "1970-01-03T02:00:00+02:00", str(2 * DAY), 2 * DAY // 10**6,
        "someday", None, [], True, "1969-12-31", "1970-01-01", "2999-01-01",
    ]  # fmt: skip
    mails = [row("ann", 0, n, "email_sent", properties={"ends_at": end}) for n, end in enumerate(ends)]
    t = world(*mails, row("ann", 0, 50, "email_sent"), row("ann", DAY, 60, "order"), *visits(30))
    rows = made(t, replace(SENT, horizon=Until("ends_at")))
    # So few microseconds are read as milliseconds: the size of a number tells its unit, and they end after the data.
    assert set(rows.until.tolist()) == {2 * DAY} and len(rows) == 4 and rows.label.all()
    assert (rows.censored, rows.endless) == (2, 7)


def test_a_linked_outcome_carries_the_decision_of_the_rows_touchpoint():
    linked = replace(SENT, linked=True)
    t = world(
        row("ann", 0, 1, "email_sent", decision="d1"), row("ann", 0, 2, "email_sent", decision="d2"),
        row("ann", 0, 3, "email_sent"), row("ann", DAY, 4, "order", decision="d1"), row("ann", DAY, 5, "order"),
        row("bob", 0, 6, "email_sent", decision="d1"), *visits(30),
    )  # fmt: skip
    assert {r[-1]: r[3] for r in listed(t, made(t, linked))} == {
        "000001": True, "000002": False, "000003": False, "000006": False,
    }  # fmt: skip
    assert made(t, SENT).label.tolist() == [True, True, True, False]


def test_among_is_seen_within_and_never_without():
    t = world(
        *visits(0, 60), row("ann", 30 * DAY, 1, "order"), *visits(0, who="bob"), row("cid", 20 * DAY, 2, "order"),
        row("cid", 20 * DAY, 3, "goodbye"),
    )  # fmt: skip

    def who(among):
        return {(c, a // DAY) for c, a, *_ in listed(t, made(t, replace(BUY, among=among)))}

    assert who(Among(seen=("order",), within_us=10 * DAY)) == {("cid", 25), ("cid", 30), ("ann", 35), ("ann", 40)}
    assert {c for c, _ in who(Among(without=("goodbye",)))} == {"ann", "bob"}
    assert ("cid", 20) not in who(Among(seen=("order",))) and ("cid", 50) in who(Among(seen=("order",)))
    assert who(Among(seen=("order",), without=("goodbye",))) == {("ann", d) for d in (35, 40, 45, 50)}
    assert who(Among(seen=("nothing",))) == set()


def split_moments(touchpoints, goal):
    rows = made(touchpoints, goal)
    split = split_rows(rows, goal)
    assert not (split.train & split.test).any()
    return [sorted({a // DAY for a in rows.as_of[part]}) for part in (split.train, split.test)]


@pytest.mark.parametrize(
    ("test", "newest"),
    [(0.3, [65, 70, 75, 80, 85]), (0.01, [85]), (0.1, [80, 85]), (0.09, [85]), (0.99, [*range(10, 90, 5)])],
)
def test_the_newest_rounded_share_of_the_snapshots_is_the_test_and_at_least_one(test, newest):
    t = world(*visits(0, 95))
    train, tested = split_moments(t, replace(BUY, snapshots=Snapshots(every_us=5 * DAY, test=test)))
    assert len(made(t, BUY)) == 16 and tested == newest
    assert train == list(range(10, newest[0] - 9, 5))


def test_test_from_overrides_both():
    t = world(*visits(0, 95))
    snapshots = Snapshots(every_us=5 * DAY, test=0.3, test_from=41 * DAY)
    assert split_moments(t, replace(BUY, snapshots=snapshots)) == [list(range(10, 36, 5)), list(range(45, 90, 5))]
    mails = [row("ann", day * DAY, day, "email_sent") for day in range(0, 60, 6)]
    after = replace(SENT, snapshots=replace(SENT.snapshots, test_from=30 * DAY))
    assert split_moments(world(*mails, *visits(95)), after) == [[0, 6, 12, 18], [30, 36, 42, 48, 54]]


def test_training_horizons_end_at_or_before_the_first_test_row():
    mails = [row("ann", day * DAY, day, "email_sent") for day in (0, 9, 10, 11, 20, 40)]
    after = replace(SENT, snapshots=replace(SENT.snapshots, test_from=20 * DAY))
    assert split_moments(world(*mails, *visits(95)), after) == [[0, 9, 10], [20, 40]]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60), st.floats(0.01, 0.99), st.integers(0, 2 * 10**15))
def test_rows_after_touchpoints_are_tested_from_the_quantile_of_their_times(times, test, since):
    mails = [row("ann", since + at, n, "email_sent") for n, at in enumerate(times)]
    goal = replace(SENT, snapshots=replace(SENT.snapshots, test=test))
    rows = made(world(*mails, row("ann", since + 10**9 + HORIZON, 999)), goal)
    assert rows.as_of.tolist() == sorted(since + at for at in times)
    quantile = np.quantile(np.array(sorted(times), dtype=np.float64), 1 - test)
    expected = [at >= quantile - 1e-3 for at in sorted(times)]
    assert split_rows(rows, goal).test.tolist() == expected


def test_the_row_at_the_quantile_is_tested():
    mails = [row("ann", 1_700_000_000_000_001 + 3 * n, n, "email_sent") for n in range(11)]
    goal = replace(SENT, snapshots=replace(SENT.snapshots, test=0.3))
    rows = made(world(*mails, row("ann", 1_800_000_000_000_000, 99)), goal)
    assert split_rows(rows, goal).test.sum() == 4


def test_nothing_to_make_rows_of_makes_none():
    for t, goal in ((world(), BUY), (world(*visits(0, 5)), BUY), (world(*visits(0, 90)), SENT)):
        rows = made(t, goal)
        assert len(rows) == 0 and not split_rows(rows, goal).test.any()
        assert describe(rows) == {"rows": 0, "positives": 0, "from": None, "to": None}


def test_a_calendar_goal_needs_a_duration():
    with pytest.raises(ValueError, match="'buy'"):
        made(world(*visits(0, 90)), replace(BUY, horizon=Until("ends_at")))


def test_a_part_is_described_by_its_rows_and_their_span():
    t = world(*visits(0, 30), row("ann", 12 * DAY, 1, "order"))
    assert describe(made(t, BUY)) == {"rows": 3, "positives": 1, "from": iso(10 * DAY), "to": iso(20 * DAY)}


def test_training_as_of_a_moment_knows_only_what_lies_before_it(tmp_path):
    from features.rows.rows import touchpoint_row
    from nba.settings import load_settings
    from training.past import read_past

    config = tmp_path / "nba.toml"
    config.write_text("")
    raw = [{"identity": "ann", "occurred_at": iso(day * DAY), "kind": "order"} for day in range(0, 60, 3)]
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store, store.writing() as writer:
        writer.touchpoints(
            [
                touchpoint_row(r | {"touchpoint_id": str(n)}, now_us=99 * DAY, zone=None, rules=RULES)
                for n, r in enumerate(raw)
            ]
        )
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store:
        past = read_past(store, load_settings(config, {}), 30 * DAY)
    assert past.end == past.touchpoints.occurred_at.max() == 27 * DAY
    assert made(past.touchpoints, BUY, past.now).until.max() <= 27 * DAY


kinds = st.sampled_from(["email_sent", "order", "page_view", "goodbye"])
events = st.tuples(
    st.sampled_from(["ann", "bob"]), st.integers(0, 40).map(lambda half_days: half_days * DAY // 2), kinds,
    st.sampled_from([None, "d1", "d2"]), st.sampled_from([None, "bad", 5, 9, 25]), st.sampled_from([None, 1.0, 4.0]),
)  # fmt: skip
goals = st.builds(
    Goal,
    name=st.just("g"),
    kinds=st.sampled_from([("order",), ("order", "page_view")]),
    absence_of=st.just(()),
    horizon=st.sampled_from([3 * DAY, DAY, Until("ends_at")]),
    value=st.just("sum"),
    linked=st.booleans(),
    among=st.sampled_from(
        [None, Among(("page_view",), 4 * DAY), Among(("order",), None, ("goodbye",)), Among((), None, ("goodbye",))]
    ),
    snapshots=st.one_of(
        st.builds(Snapshots, every_us=st.sampled_from([DAY, 2 * DAY]), after=st.none()),
        st.builds(
            Snapshots,
            every_us=st.none(),
            after=st.builds(After, st.sampled_from(["email_sent", "order"]), st.sampled_from([0, DAY])),
        ),
    ),
)


def slowly(rows, goal, end):
    """Rows by the words of the contract, in a loop over everything."""
    after, found, censored, endless = goal.snapshots.after, [], 0, 0
    rows = sorted(rows, key=lambda r: r[:3])
    if after:
        starts = [(r[0], r[1] + after.delay_us, r) for r in rows if r[3] == after.kind]
    else:
        first = min(r[1] for r in rows)
        days = [t for t in range(0, 41 * DAY, DAY) if t >= first + goal.horizon and t <= end - goal.horizon]
        newest = (end - goal.horizon) // DAY * DAY
        starts = [(c, t, None) for t in days if (newest - t) % goal.snapshots.every_us == 0 for c in ("ann", "bob")]
    for contact, as_of, own in starts:
        mine = [r for r in rows if r[0] == contact]
        if isinstance(goal.horizon, Until):
            try:
                until = parse_time(json.loads(own[-1] or "{}").get(goal.horizon.property))
            except ValueError:
                until = as_of
            if until <= as_of:
                endless += 1
                continue
        else:
            until = as_of + goal.horizon
        before = [r for r in mine if r[1] < as_of]
        among = goal.among or Among()
        seen = [
            r for r in before if r[3] in among.seen and (among.within_us is None or r[1] >= as_of - among.within_us)
        ]
        if not (before or own) or (among.seen and not seen) or any(r[3] in among.without for r in before):
            continue
        if until > end:
            censored += 1
            continue
        later = [r for r in mine if as_of <= r[1] < until and r is not own]
        hits = [r for r in later if r[3] in goal.kinds and (not goal.linked or (own[11] and r[11] == own[11]))]
        value = sum((r[7] or 0.0) * RULES.margin for r in later if r[3] == "order")
        found.append((contact, as_of, until, bool(hits), round(value, 6), own and own[2]))
    return sorted(found, key=str), censored, endless


@settings(max_examples=200, deadline=None)
@given(st.lists(events, min_size=1, max_size=25), goals)
def test_the_rows_are_those_of_a_slow_loop_over_the_contract(given_events, goal):
    if goal.snapshots.after is None:
        goal = replace(goal, linked=False, horizon=2 * DAY if isinstance(goal.horizon, Until) else goal.horizon)
    rows = [
        row(
            who,
            at,
            n,
            kind,
            decision=decision,
            value=value,
            properties={"ends_at": ends if ends in (None, "bad") else iso(ends * DAY)},
        )
        for n, (who, at, kind, decision, ends, value) in enumerate(given_events)
    ]
    t = world(*rows)
    found = made(t, goal)
    expected, censored, endless = slowly(rows, goal, data_end(t, 2**61))
    assert sorted(listed(t, found), key=str) == expected
    assert (found.censored, found.endless) == (censored, endless)
    split = split_rows(found, goal)
    if len(found):
        begins = found.as_of[split.test].min()
        assert (split.train == (~split.test & (found.until <= begins))).all()
        assert (split.test == (found.as_of >= begins)).all()
