from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.rows.row_types import LinkRow, OutcomeRow, RecordRow, ScoreRow, TouchpointRow
from features.times import DAY, MINUTE, iso
from features.touchpoints.touchpoints import Touchpoints
from nba import worklist
from nba.draw import Draw
from nba.engine import decide
from nba.in_line import in_line
from nba.partners.visibility import Viewer
from nba.past import Past
from nba.request import MOST_RECOMMENDATIONS, Request
from nba.settings import parse_settings
from nba.settings.actions import Action
from serving.caller import THIS_MACHINE
from serving.cursor import opened, sealed
from serving.problems import Problem
from serving.worked import Told, work_off

NO_STORE: Any = None
"""For what asks nothing of it."""

SETTINGS = """
[actions.sales_call]
channel = "phone"
[points]
kinds = { service_call = 250 }
thresholds = [{ from = 250, actions = ["sales_call"] }]
[ranking]
epsilon = 0.0
holdout = 0.0
"""
PARTNERED = """
[partners]
visible_to_owner = "contact"
"""


@pytest.fixture
def shop_with(local, tmp_path):
    return lambda more: type(local)(tmp_path, SETTINGS + more)


@pytest.fixture
def shop(shop_with):
    return shop_with("")


def score(local, name, priority, at=None, action="sales_call", **traits):
    row = ScoreRow(
        name, local.now if at is None else at, "need", 250.0, {"action_1": action, "priority_1": priority}, None
    )
    return in_line(row, local.settings.actions, traits)


async def fill(local, client, names, **traits):
    calls = [local.touchpoint(f"t-{name}", "service_call", contact=name) for name in names]
    await client.post("/v1/touchpoints", json=calls)
    with local.service.store.writing() as writing:
        writing.contacts([RecordRow(name, 1, {"name": f"Dr {name}", **traits}) for name in names])


async def read_all(client, limit=3, **query):
    found, cursor = [], None
    while True:
        query |= {} if cursor is None else {"cursor": cursor}
        answer = await client.get("/v1/worklist", params={"limit": limit, **query})
        assert answer.status_code == 200, answer.text
        found += answer.json()["contacts"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


def names(found):
    return [each["contact_id"] for each in found]


def test_pages_have_everybody_once_by_priority_then_points_also_while_work_is_done(shop):
    async def journey(client):
        await fill(shop, client, [f"c{n}" for n in range(10)])
        shop.service.store.save_scores(score(shop, f"c{n}", 100.0 - n // 4) for n in range(10))
        first = (await client.get("/v1/worklist", params={"limit": 4})).json()
        # Somebody of the first page is called meanwhile: who comes behind neither moves up nor is left out.
        shop.now += DAY
        called = shop.touchpoint("done-c1", "call", 0.0, "c1", channel="phone", direction="outbound")
        await client.post("/v1/touchpoints", json=called)
        second = (await client.get("/v1/worklist", params={"limit": 4, "cursor": first["next_cursor"]})).json()
        return first, second, await read_all(client, 4), await read_all(client, 3)

    first, second, again, otherwise = shop.run(journey)
    assert names(first["contacts"]) == ["c0", "c1", "c2", "c3"]
    assert names(second["contacts"]) == ["c4", "c5", "c6", "c7"]
    assert names(again) == names(otherwise) == ["c0", *(f"c{n}" for n in range(2, 10))]
    priorities = [each["priority"] for each in again]
    assert priorities == sorted(priorities, reverse=True)
    row = first["contacts"][0]
    assert (row["name"], row["action"], row["channel"], row["priority"]) == ("Dr c0", "sales_call", "phone", 100.0)
    assert row["reasons"] and row["last_contact"]["kind"] == "service_call" and row["not_before"]


def test_among_equal_priorities_more_points_come_first():
    rows = [_scored("a", None, 5.0), _scored("b", None, 9.0), _scored("c", 1.0, 0.0), _scored("d", -1.0, 0.0)]
    actions = {"call": Action("call", "phone")}
    placed = [in_line(row, actions, {}) for row in rows]
    ordered = sorted(placed, key=lambda row: (row.behind, row.behind_by_points, row.contact_id))
    assert names([{"contact_id": row.contact_id} for row in ordered]) == ["c", "d", "b", "a"]


def test_only_what_people_carry_out_is_in_the_line():
    body = {"action_1": "mail", "priority_1": 9.0, "action_2": "call", "priority_2": 4.0}
    actions = {"mail": Action("mail", "email"), "call": Action("call", "phone")}
    row = in_line(ScoreRow("a", 0, None, 1.0, body, None), actions, {"owner": "jane"})
    assert (row.work, row.behind, row.owner) == ("call", -4.0, "jane")
    assert in_line(row._replace(body={"action_1": "mail", "priority_1": 9.0}, work=None), actions, {}).work is None
    assert in_line(ScoreRow("a", 0, None, 1.0, body, None), {"mail": actions["mail"]}, {}).behind is None


def _scored(name, priority, points):
    return ScoreRow(name, 0, None, points, {"action_1": "call", "priority_1": priority}, None)


@pytest.mark.parametrize(
    ("outcome", "days", "is_in"),
    [
        ("done", 0, False), ("rejected", 0, False), ("not_reached", 0, False), ("shown", 0, True),
        ("snoozed", 0, False), ("snoozed", 2, True), ("clicked", 0, True),
    ],
    ids=str,
)  # fmt: skip
def test_what_was_told_of_a_call_takes_it_out_until_there_is_more_to_do(shop, outcome, days, is_in):
    async def journey(client):
        await fill(shop, client, ["c1"])
        shop.service.store.save_scores([score(shop, "c1", 5.0)])
        asked = await client.post("/v1/recommend", json={"contact": "c1", "decision_id": "d1"})
        before = await read_all(client)
        until = iso(shop.now + DAY)
        told = {"decision_id": "d1", "action": "sales_call", "outcome": outcome, "until": until}
        answer = await client.post("/v1/feedback", json=told)
        assert answer.status_code == 200, answer.text
        shop.now += days * DAY
        return asked.json()["recommendations"][0]["action"], before, await read_all(client)

    action, before, after = shop.run(journey)
    assert action == "sales_call"
    assert [(each["contact_id"], each["decision_id"]) for each in before] == [("c1", "d1")]
    assert names(after) == (["c1"] if is_in else [])


def test_who_came_after_the_scoring_is_in_the_line_by_an_open_decision(shop):
    async def journey(client):
        await fill(shop, client, ["c1", "c2", "new"])
        shop.service.store.save_scores([score(shop, "c1", 1e6), score(shop, "c2", -1e6)])
        await client.post("/v1/recommend", json={"contact": "new", "decision_id": "d1"})
        return await read_all(client, 1)

    found = shop.run(journey)
    assert names(found) == ["c1", "new", "c2"]
    assert [each["decision_id"] for each in found] == [None, "d1", None]


def test_a_cursor_of_an_earlier_scoring_and_a_made_up_one_are_refused(shop):
    async def journey(client):
        await fill(shop, client, ["c1", "c2"])
        shop.service.store.save_scores([score(shop, "c1", 5.0), score(shop, "c2", 4.0)])
        cursor = (await client.get("/v1/worklist", params={"limit": 1})).json()["next_cursor"]
        assert "c1" not in cursor
        shop.service.store.save_scores([score(shop, "c1", 5.0, shop.now + 1)])
        queries = [{"cursor": cursor}, {"cursor": cursor[:-2] + "AA"}, {"cursor": "%"}, {"limit": 0}, {"ownr": "x"}]
        queries += [{"owner": " "}, {"limit": "2x"}]
        answers = [await client.get("/v1/worklist", params=query) for query in queries]
        return [(answer.status_code, answer.json()["code"], answer.json()["detail"]) for answer in answers]

    found = shop.run(journey)
    assert [status for status, _, _ in found] == [409, 404, 404, 422, 422, 422, 422]
    assert found[0][1] == "cursor-outdated" and "did you mean 'owner'?" in found[4][2]


@pytest.mark.parametrize(
    ("viewer", "query", "expected"),
    [
        (Viewer(), {}, ["a", "b", "c"]),
        (Viewer(), {"owner": "jane"}, ["a", "b"]),
        (Viewer(), {"partner": "north"}, ["b"]),
        (Viewer(owner="jane"), {}, ["a", "b"]),
        (Viewer(owner="jane"), {"owner": "joe"}, []),
        (Viewer(owner="nobody"), {}, []),
        (Viewer(partner="south"), {}, []),
        (Viewer(partner="south"), {"partner": "north"}, []),
        (Viewer(partner="north"), {"partner": "south"}, []),
    ],
    ids=str,
)
def test_a_filter_narrows_and_never_widens(shop_with, monkeypatch, viewer, query, expected):
    shop = shop_with(PARTNERED)
    of = {"a": {"owner": "jane"}, "b": {"owner": "jane", "partner": "north"}, "c": {"owner": "joe"}}

    async def journey(client):
        for name, traits in of.items():
            await fill(shop, client, [name], **traits)
        with shop.service.store.writing() as writing:
            writing.records("partners", [RecordRow("north", 1, {"mode": "direct"})])
        rows = [score(shop, name, 9.0 - n, **traits) for n, (name, traits) in enumerate(of.items())]
        shop.service.store.save_scores(rows)
        caller = replace(THIS_MACHINE, viewer=viewer)
        monkeypatch.setattr("serving.api.worklist.caller_of", lambda request: caller)
        return await read_all(client, 2, **query)

    assert names(shop.run(journey)) == expected


DEALERS = (
    SETTINGS.replace('actions = ["sales_call"]', 'actions = ["sales_call", "dealer_call"]')
    + """
[actions.dealer_call]
channel = "phone"
executor = "partner"
"""
)


@pytest.mark.parametrize(("viewer", "expected"), [(Viewer(), ["own"]), (Viewer(partner="north"), ["theirs"])], ids=str)
def test_what_a_partner_keeps_is_in_its_own_list_alone(local, tmp_path, monkeypatch, viewer, expected):
    shop = type(local)(tmp_path, DEALERS)

    async def journey(client):
        await fill(shop, client, ["own"])
        await fill(shop, client, ["theirs"], partner="north")
        rows = [score(shop, "own", 1.0), score(shop, "theirs", 2.0, action="dealer_call", partner="north")]
        shop.service.store.save_scores(rows)
        monkeypatch.setattr("serving.api.worklist.caller_of", lambda request: replace(THIS_MACHINE, viewer=viewer))
        whole = (await client.get("/v1/worklist")).text
        pages = await read_all(client, 1)
        # Nothing of the others, not in a cursor either.
        hidden = "theirs" if expected == ["own"] else "own"
        assert f'"{hidden}"' not in whole and f"Dr {hidden}" not in whole
        return pages

    found = shop.run(journey)
    assert names(found) == expected
    assert found[0]["executor"] == ("partner" if viewer.partner else "automation")


NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.none() | NUMBERS | st.text()))
def test_a_cursor_is_opened_as_it_was_sealed_and_only_for_its_list(place):
    cursor = sealed(b"secret", "worklist", place)
    assert opened(b"secret", "worklist", cursor) == place
    for secret, of in ((b"other", "worklist"), (b"secret", "exports")):
        with pytest.raises(Problem, match="none of this list's"):
            opened(secret, of, cursor)


def test_a_page_that_a_caller_has_is_not_sent_again_and_a_long_one_is_packed(shop):
    async def journey(client):
        await fill(shop, client, [f"c{n}" for n in range(10)])
        shop.service.store.save_scores(score(shop, f"c{n}", 100.0 - n) for n in range(10))
        asked = {"limit": 4}
        plain = await client.get("/v1/worklist", params=asked, headers={"Accept-Encoding": "identity"})
        small = await client.get("/v1/worklist", params=asked, headers={"Accept-Encoding": "gzip"})
        known = {"If-None-Match": plain.headers["etag"]}
        again = await client.get("/v1/worklist", params=asked, headers=known)
        more = await client.get("/v1/worklist", params={"limit": 5}, headers=known)
        # Somebody is called: then it is another page.
        shop.now += DAY
        done = shop.touchpoint("done-c1", "call", 0.0, "c1", channel="phone", direction="outbound")
        await client.post("/v1/touchpoints", json=done)
        after = await client.get("/v1/worklist", params=asked, headers=known)
        return plain, small, again, more, after

    plain, small, again, more, after = shop.run(journey)
    assert "content-encoding" not in plain.headers and small.headers["content-encoding"] == "gzip"
    assert names(small.json()["contacts"]) == names(plain.json()["contacts"])
    assert small.headers["etag"] == plain.headers["etag"]
    assert (again.status_code, again.content) == (304, b"") and again.headers["etag"] == plain.headers["etag"]
    assert (more.status_code, after.status_code) == (200, 200)
    assert names(after.json()["contacts"]) != names(plain.json()["contacts"])


async def row_of(client, name="c1"):
    found = (await client.get("/v1/worklist")).json()
    return found, next((each for each in found["contacts"] if each["contact_id"] == name), None)


def test_a_row_that_was_read_a_moment_ago_is_not_worked_out_again_and_begins_now(shop, monkeypatch):
    decided = []

    def counted(*given, **more):
        decided.append(1)
        return decide(*given, **more)

    monkeypatch.setattr(worklist, "decide", counted)

    async def journey(client):
        await fill(shop, client, ["c1"])
        shop.service.store.save_scores([score(shop, "c1", 5.0)])
        (_, first), n = await row_of(client), len(decided)
        shop.now += MINUTE // 2
        again, kept = await row_of(client)
        assert n > 0 and len(decided) == n
        shop.now += MINUTE // 2
        return first, again, kept, len(decided) - n, (await row_of(client))[1], len(decided) - n

    first, again, kept, _, anew, more = shop.run(journey)
    assert kept["not_before"] == again["as_of"] > first["not_before"]
    assert kept == first | {"not_before": again["as_of"]}
    assert more > 0 and anew == kept | {"not_before": anew["not_before"]}


@pytest.mark.parametrize("came", ["touchpoint", "traits", "decision", "outcome", "link"])
def test_what_is_new_of_a_contact_is_in_its_row_at_once(shop, came):
    async def journey(client):
        await fill(shop, client, ["c1"])
        shop.service.store.save_scores([score(shop, "c1", 5.0)])
        await client.post("/v1/recommend", json={"contact": "c1", "decision_id": "d1"})
        before = (await row_of(client))[1]
        # Without a step of the clock: nothing but the news tells that the row is old.
        shop.now += 1
        with shop.service.store.writing() as writing:
            if came == "touchpoint":
                writing.touchpoints([TouchpointRow("c1", shop.now - 1, "new", "page_view", "web")])
            elif came == "traits":
                writing.contacts([RecordRow("c1", 1, {"name": "Dr C1"})])
            elif came == "decision":
                writing.decisions([replace(shop.service.store.decision("d1"), decision_id="d2", deferred=False)])
            elif came == "outcome":
                writing.outcomes([OutcomeRow("f1", "d1", "done", shop.now - 1, shop.now - 1)])
            else:
                writing.links([LinkRow("c1", "crm:1", shop.now - 1, "login", 1.0)])
        (_, kept), _ = await row_of(client), shop.service.kept_rows.forget("c1")
        return before, kept, (await row_of(client))[1]

    # The clock goes on from one answer to the next, and what may begin at once may begin now.
    before, kept, worked_out = (each and {**each, "not_before": None} for each in shop.run(journey))
    assert kept == worked_out
    # One more decision, or one more name, need not show.
    assert came in ("decision", "link") or kept != before


def test_an_item_that_cannot_be_worked_off_any_more_is_out_of_the_list_at_once(shop):
    async def journey(client):
        await fill(shop, client, ["c1"])
        shop.service.store.save_scores([score(shop, "c1", 5.0)])
        before = (await row_of(client))[1]
        with pytest.raises(Problem, match="load the list again"):
            await work_off(shop.service, THIS_MACHINE, "c1", "another", Told("done"))
        return before, [key for key in shop.service.kept_rows._kept if key[0] == "c1"]

    before, left = shop.run(journey)
    assert before is not None and left == []


@given(
    priorities=st.lists(st.sampled_from([-50.0, 1.0, 4.0]), min_size=2, max_size=2),
    policy=st.sampled_from(["greedy", "points"]),
    excluded=st.booleans(),
)
def test_one_action_alone_is_decided_as_among_all(priorities, policy, excluded):
    told = "".join(
        f'[actions.a{i}]\nchannel = "phone"\ncost = 10.0\nvalue = {1000 * value + 10}\n'
        + ('needs = { seen = ["order"] }\n' if excluded and i else "")
        for i, value in enumerate(map(abs, priorities))
    )
    settings = parse_settings(
        f'{told}[points]\nkinds = {{ service_call = 250 }}\nthresholds = [{{ from = 9, actions = ["a1", "a0"] }}]\n'
        f'[ranking]\npolicy = "{policy}"\n'
    )
    told_of = [("c1", 5, "t1", "service_call", *[None] * 10)]
    past = Past(Touchpoints.from_rows(told_of, settings.touchpoints), {"name": "Dr"})
    rows = worklist.Worklist(NO_STORE, worklist.sober(settings), None, Viewer(), 10)
    for action in settings.actions.values():
        asked = Request(contact="c1", limit=MOST_RECOMMENDATIONS)
        among = decide(asked, past, None, rows.catalogue, 10, Draw(b"", "worklist"))
        alone = rows._decided(past, "c1", action)
        offered = [
            [each.to_json(1) for each in found.recommendations if each.action == action.name]
            for found in (among, alone)
        ]
        assert [{**each, "probability": 0} for each in offered[0]] == [
            {**each, "probability": 0} for each in offered[1]
        ]
