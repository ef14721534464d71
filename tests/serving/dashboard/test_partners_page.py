"""Partners: a dealer answers its leads and sees its own, the owner sees what is shared."""

import re

from features.rows.row_types import ContactRow, RecordRow
from features.times import DAY
from nba.partners.owner_sights import put_down
from tests.serving.dashboard.page_text import only, seal_in
from tests.serving.dashboard.test_signing_in import KEY, with_key

ALL = ("read", "recommend", "feedback", "ingest")
EVIL = "<script>alert(1)</script>"


def world(local, contacts=7, leads=6):
    """North has ``contacts`` contacts, of which ``leads`` were offered to it; south has one."""
    store = local.service.store
    with store.writing() as writing:
        writing.records("partners", [RecordRow("north", 1, {"name": "North " + EVIL}), RecordRow("south", 1, {})])
        for i in range(contacts):
            writing.contacts([ContactRow(f"crm:{i}", 1, {"name": f"Ann {i} {EVIL}", "partner": "north"})])
        writing.contacts([ContactRow("crm:south", 1, {"name": "Bea Low", "partner": "south"})])
    put_down(store, local.settings, local.now)
    named = [*(f"crm:{i}" for i in range(leads)), "crm:south"]
    return [
        local.touchpoint(f"o{name}", "lead_offered", 2.0, name, topics=["pumps"], properties={"partner": whose})
        for name, whose in ((name, "south" if name == "crm:south" else "north") for name in named)
    ]


async def begun(client, local, **more):
    for each in world(local, **more):
        with local.service.store.writing() as writing:
            from features.rows.rows import touchpoint_row

            writing.touchpoints([touchpoint_row(each, now_us=local.now, zone=None, rules=local.settings.touchpoints)])
    await client.post("/sign-in", data={"key": KEY})
    return (await client.get("/partners")).text


def told(local, kind):
    return local.service.store._all("SELECT identity, properties FROM touchpoints WHERE kind = ?", (kind,))


def test_a_dealer_sees_its_leads_and_answers_each_once(local):
    async def journey(client):
        page = await begun(client, local)
        form = {"seal": seal_in(page), "contact": "crm:1", "at": only(r'name="at" value="(\d+)"', page)}
        first = await client.post("/partners", data={**form, "answer": "accept"})
        again = await client.post("/partners", data={**form, "answer": "accept"})
        too_late = await client.post("/partners", data={**form, "answer": "decline"})
        after = await client.get("/partners", headers={"accept-language": "de"})
        profile = await client.get("/v1/contacts/crm:1", headers={"authorization": f"Bearer {KEY}"})
        return (
            page,
            [each.status_code for each in (first, again, too_late)],
            after.text,
            told(local, "lead_accepted"),
            profile,
        )

    page, statuses, after, rows, profile = with_key(local, scopes=ALL, partner="north").run(journey)
    assert figures(page) == ["7", "6", "6", "0", "0", "0", "0"]
    assert statuses == [303, 303, 303]
    assert [identity for identity, _ in rows] == ["crm:1"] and '"partner":"north"' in rows[0][1]
    assert figures(after) == ["7", "6", "5", "1", "0", "0", "0"] and "angenommen" in after
    assert EVIL not in page and "Bea Low" not in page and "south" not in page
    assert profile.json()["timeline"][0]["kind"] == "lead_accepted"


def figures(page):
    return re.findall(r'<p class="figure">([^<]*)</p>', page)


def test_a_foreign_lead_cannot_be_answered_and_looks_like_none(local):
    async def journey(client):
        page = await begun(client, local)
        at = only(r'name="at" value="(\d+)"', page)
        form = {"seal": seal_in(page), "at": at, "answer": "accept"}
        answers = [await client.post("/partners", data={**form, "contact": name}) for name in ("crm:south", "crm:99")]
        return [(each.status_code, re.sub(r"<time>.*?</time>", "", each.text)) for each in answers], told(
            local, "lead_accepted"
        )

    (foreign, unknown), rows = with_key(local, scopes=ALL, partner="north").run(journey)
    assert foreign == unknown and foreign[0] == 404
    assert rows == []


def test_the_owner_sees_numbers_of_five_or_more_only(local):
    async def journey(client):
        page = await begun(client, local)
        with local.service.store.writing() as writing:
            writing.records("partners", [RecordRow("north", local.now - DAY, {"visible": ["contact"]})])
        local.now += 10**9
        return page, (await client.get("/partners")).text

    hidden, shared = with_key(local, scopes=ALL).run(journey)
    assert cells(hidden) == [["7", "6", "0", "0", "6", "–"], ["not told"] * 2 + ["not told"] * 3 + ["–"]]
    assert cells(shared)[0] == ["7", "6", "0", "0", "6", "–"]
    assert (
        "Ann" not in re.sub(r"(?s)<header.*?</header>", "", hidden)
        and EVIL not in hidden
        and "North &lt;script" in hidden
    )


def cells(page):
    rows = re.findall(r"(?s)<tr><th scope=\"row\">.*?</tr>", page)
    return [[re.sub(r"<[^>]*>", "", each) for each in re.findall(r'<td class="n">(.*?)</td>', row)] for row in rows]


def test_an_empty_store_says_what_to_load(local):
    async def journey(client):
        await client.post("/sign-in", data={"key": KEY})
        return (await client.get("/partners")).text

    assert "nba load partners partners.csv" in with_key(local, scopes=ALL).run(journey)


def test_with_a_sellers_key_nothing_is_told_of_partners(local):
    async def journey(client):
        return await begun(client, local)

    page = with_key(local, scopes=ALL, owner="jane").run(journey)
    assert "nothing of partners is shared" in page and "North" not in page
