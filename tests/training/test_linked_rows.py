"""Claims about training rows of contacts whose identities were linked, split and linked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.identity.identity import Identities
from features.identity.versions import Versions
from features.rows.row_types import ContactRow, LinkRow, SplitRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, HOUR
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.past import Past as OnePast
from nba.settings import Settings, parse_settings
from nba.settings.goals import After, Goal, Snapshots
from tests.examples import examples
from tests.features import linked
from tests.features.linked import empty_store, write
from training.dataset import Rows, data_end, make_rows
from training.past import Past, read_past

RULES = TouchpointRules()
NOW = 30 * DAY
HORIZON = 3 * DAY
BUY = Goal("buy", ("order",), (), HORIZON, "sum", snapshots=Snapshots(every_us=DAY))
CHURN = replace(BUY, name="churn", kinds=(), absence_of=("order",))
SENT = replace(BUY, snapshots=Snapshots(every_us=None, after=After("email_sent")))
LINKED = replace(SENT, linked=True)

touchpoints = st.lists(
    st.builds(
        lambda name, day, hours, kind, decision: (name, day + hours * HOUR, kind, decision),
        linked.identity,
        linked.moment,
        st.sampled_from([0, 0, 7]),
        st.sampled_from(["order", "order", "visit", "email_sent"]),
        st.sampled_from([None, "d1", "d2"]),
    ),
    min_size=1,
    max_size=14,
)


def tuples(seen: Sequence[tuple[str, int, str, str | None]]) -> list[TouchpointRow]:
    """Touchpoints whose ids rise with their place; orders are worth their number."""
    return [
        TouchpointRow(name, at, f"t{n:02}", kind, value=float(n) if kind == "order" else None, decision_id=decision)
        for n, (name, at, kind, decision) in enumerate(seen)
    ]


def world(
    rows: Sequence[TouchpointRow], links: Sequence[LinkRow], splits: Sequence[SplitRow] = (), limit: int = 25
) -> tuple[Touchpoints, Versions, Identities]:
    rules = replace(RULES, stitch_limit=limit)
    identities = Identities.of(links, splits, rules)
    versions = Versions.of(Touchpoints.from_rows([row[:14] for row in rows], rules), identities, {}, NOW)
    return versions.touchpoints, versions, identities


Listed = list[tuple[tuple[str, ...], int, bool, float, str]]


def listed(rows: Rows, versions: Versions) -> Listed:
    """Members, as_of, label, value and own touchpoint of each row."""
    ids = versions.recorded.touchpoint_id
    return sorted(
        (versions.members(contact), as_of, bool(label), round(value, 6), ids[own] if own >= 0 else "")
        for contact, as_of, label, value, own in zip(
            rows.contact.tolist(), rows.as_of.tolist(), rows.label, rows.value.tolist(), rows.own.tolist(), strict=True
        )
    )


def expected(rows: Sequence[TouchpointRow], identities: Identities, goal: Goal, end: int) -> Listed:
    """Look at every identity at every moment, as slowly as can be."""
    found: set[tuple[tuple[str, ...], int, bool, float, str]] = set()
    asked: list[tuple[str, int, TouchpointRow | None]]
    if goal.snapshots.after is not None:
        asked = [(row.identity, row.occurred_at, row) for row in rows if row.kind == "email_sent"]
    else:
        first = min(row.occurred_at for row in rows) + HORIZON
        moments = [day * DAY for day in range(30) if first <= day * DAY <= end - HORIZON]
        asked = [(name, at, None) for name in {row.identity for row in rows} for at in moments]
    for name, as_of, own in asked:
        members, until = identities.members(name, as_of), as_of + HORIZON
        before = [row for row in rows if row.identity in members and row.occurred_at < as_of]
        if until > end or not (before or own is not None):
            continue
        known = {row.identity for row in rows}
        later = {each for member in members if member in known for each in identities.members(member, until)}
        horizon = [row for row in rows if row.identity in later and as_of <= row.occurred_at < until and row is not own]
        orders = [row for row in horizon if row.kind == "order"]
        counted = orders
        if goal.linked:
            wanted = own.decision_id if own is not None else None
            counted = [row for row in orders if wanted is not None and row.decision_id == wanted]
        label = not counted if goal.is_absence else bool(counted)
        value = round(sum(row.value or 0.0 for row in orders), 6)
        found.add((members, as_of, label, value, (own.touchpoint_id or "") if own is not None else ""))
    return sorted(found)


@settings(max_examples=examples(500), deadline=None)
@given(touchpoints, linked.links, linked.splits, st.integers(1, 4), st.sampled_from([BUY, CHURN, SENT, LINKED]))
def test_rows_are_those_of_the_contacts_as_they_stood(
    seen: list[tuple[str, int, str, str | None]],
    links: list[LinkRow],
    splits: list[SplitRow],
    limit: int,
    goal: Goal,
) -> None:
    rows = tuples(seen)
    t, versions, identities = world(rows, links, splits, limit)
    end = data_end(versions.recorded, NOW)
    made = make_rows(t, goal, RULES, end, versions)
    assert listed(made, versions) == expected(rows, identities, goal, end)
    assert made.cluster.tolist() == versions.group[made.contact].tolist()


@settings(max_examples=examples(200), deadline=None)
@given(touchpoints, st.sampled_from([BUY, CHURN, SENT, LINKED]))
def test_links_of_others_change_nothing(seen: list[tuple[str, int, str, str | None]], goal: Goal) -> None:
    t, versions, _ = world(tuples(seen), [LinkRow("x", "y", DAY, "login")])
    plain = versions.recorded
    end = data_end(plain, NOW)
    with_versions, without = make_rows(t, goal, RULES, end, versions), make_rows(plain, goal, RULES, end)
    for name in ("contact", "as_of", "until", "label", "value", "own", "cluster"):
        assert getattr(with_versions, name).tobytes() == getattr(without, name).tobytes()


def shop(store: Store, **tables: Sequence[object]) -> None:
    with store.writing() as writing:
        for table, rows in tables.items():
            getattr(writing, table)(rows)


def settings_of(text: str = "") -> Settings:
    return parse_settings('[goals.buy]\nkinds = ["order"]\nhorizon = "3d"\n' + text)


def read(store: Store, text: str = "") -> Past:
    return read_past(store, settings_of(text), NOW)


VISITS = [TouchpointRow(name, DAY, f"v-{name}", "visit") for name in ("cookie:1", "crm:1", "email:1")]
LOGIN = LinkRow("cookie:1", "crm:1", 5 * DAY, "login")


def test_without_links_there_are_no_versions() -> None:
    with empty_store() as store:
        shop(store, touchpoints=VISITS)
        past = read(store)
    assert past.versions is None and past.recorded is past.touchpoints and past.recorded_traits is past.traits
    assert past.current() == {"cookie:1": 0, "crm:1": 1, "email:1": 2}


def test_a_link_too_weak_to_join_makes_no_versions() -> None:
    with empty_store() as store:
        shop(store, touchpoints=VISITS, links=[LOGIN._replace(confidence=0.5)])
        assert read(store).versions is None


def test_everybody_is_a_contact_now_once() -> None:
    rows = [ContactRow("crm:9", 2 * DAY, {"size": 1}), ContactRow("email:9", 3 * DAY, {"size": 2})]
    links = [LOGIN, LinkRow("crm:9", "email:9", 5 * DAY, "alias"), LinkRow("cookie:1", "device:7", 6 * DAY, "login")]
    with empty_store() as store:
        shop(store, touchpoints=VISITS, contacts=rows, links=links)
        past = read(store)
        assert {name: code >= 0 for name, code in past.current().items()} == {
            "crm:1": True,
            "email:1": True,
            "crm:9": False,
        }
        assert past.traits.known("crm:9", NOW) == OnePast.read(store, "email:9", NOW, RULES).traits == {"size": 2}


def test_who_objects_is_left_out_with_all_that_is_linked() -> None:
    objection = TouchpointRow("cookie:1", 9 * DAY, "o", "objection")
    with empty_store() as store:
        shop(store, touchpoints=[*VISITS, objection], links=[LOGIN], contacts=[ContactRow("crm:1", DAY, {"size": 1})])
        past = read(store)
        assert list(past.current()) == ["email:1"]
        assert past.recorded.contacts == ["email:1"] and not past.recorded_traits.identities()
        shop(store, splits=[SplitRow("crm:1", "cookie:1", 10 * DAY)])
        assert set(read(store).current()) == {"crm:1", "email:1"}


def test_traits_become_known_with_the_link_and_the_better_name_wins_a_tie() -> None:
    rows = [
        ContactRow("crm:1", 2 * DAY, {"size": 1, "vip": True}),
        ContactRow("cookie:1", 2 * DAY, {"size": 2}),
        ContactRow("cookie:1", 3 * DAY, {"sector": "wood"}),
    ]
    with empty_store() as store:
        shop(store, touchpoints=VISITS, contacts=rows, links=[LOGIN])
        past = read(store)
        assert past.versions is not None
        names = past.touchpoints.contacts
        for as_of in (DAY, 3 * DAY, 5 * DAY, 5 * DAY + 1, NOW):
            for name in ("cookie:1", "crm:1"):
                one = OnePast.read(store, name, as_of, RULES)
                code = past.versions.at(
                    np.array([past.recorded.contacts.index(name)], dtype=np.int64), np.array([as_of], dtype=np.int64)
                )
                assert past.traits.known(names[int(code[0])], as_of) == one.traits
    assert past.traits.known("crm:1", NOW) == {"size": 1, "vip": True, "sector": "wood"}


def test_each_touchpoint_is_counted_once_where_features_are_chosen() -> None:
    with empty_store() as store:
        write(store, [LOGIN])
        shop(store, touchpoints=VISITS)
        past = read(store)
    assert len(past.recorded) == 3 and len(past.touchpoints) == 5
