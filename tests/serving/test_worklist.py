from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.rows.row_types import RecordRow, ScoreRow
from features.times import DAY, iso
from nba.in_line import in_line
from nba.partners.visibility import Viewer
from nba.settings.actions import Action
from serving.caller import THIS_MACHINE
from serving.cursor import opened, sealed
from serving.problems import Problem

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
