"""The page of a contact and the search for one: the same as the API says, to nobody who may not see it."""

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest

from features.rows.row_types import KeyRow, RecordRow
from features.store.keys import store_key
from features.store.store import Store
from serving import portrait as portraits
from serving.dashboard import contact
from serving.keys import digest_of
from tests.serving.dashboard.page_text import only, seal_in
from tests.serving.dashboard.test_signing_in import KEY, signed_in

NORTH, JANE = ("nba_" + letter * 43 for letter in "nj")
SCOPES = ("read", "recommend", "feedback", "ingest")
EVIL = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'onmouseover='alert(1)", "{{ 7 * 7 }}",
    "<svg/onload=alert(1)>", "javascript:alert(1)", "</title><script>1</script>", "&lt;b&gt;",
]  # fmt: skip
PEOPLE = {
    "crm:1": {"name": "Ann Lee", "email": "ann.lee@acme.example", "phone": "+41 44 768 10 10", "account": "acme"},
    "crm:2": {"name": "Nora Nord", "partner": "north", "account": "acme", "phone": "+41 44 768 10 12"},
    "crm:3": {"name": "Susi Süd", "partner": "south", "account": "suedag", "email": "susi@sued.example"},
    "crm:4": {"name": "Älva Öst", "owner": "jane"},
    "crm:5": {"name": EVIL[0], "crm_url": EVIL[5], "role": EVIL[1], "email": f"a@{EVIL[1]}", "owner": EVIL[2]},
}


@pytest.fixture
def people(local):
    """People of ours and of two partners, a key of ours, one of a partner's and one of somebody who sells."""
    local.tick = 0
    ann = KeyRow("id-ann", "ann", digest_of(KEY), SCOPES, None, None, False, (), None, 0)
    north = ann._replace(key_id="id-north", name="north", digest=digest_of(NORTH), partner="north")
    with Store.open(local.settings.store.url) as store, store.writing() as writing:
        store_key(writing, ann)
        store_key(writing, north)
        store_key(writing, ann._replace(key_id="id-jane", name="jane", digest=digest_of(JANE), owner="jane"))
        writing.contacts([RecordRow(identity, 0, body) for identity, body in PEOPLE.items()])
    return local


def bearer(key=KEY):
    return {"Authorization": f"Bearer {key}"}


def text_of(page):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


class Dangers(HTMLParser):
    """Takes note of what a browser would run."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        told = {name: value or "" for name, value in attrs}
        is_ours = tag == "script" and told.get("src", "").startswith("/assets/")
        if (tag in ("script", "img", "iframe", "object") and not is_ours) or "style" in told:
            self.found.append((tag, told))
        links = [told.get(name, "").strip().lower() for name in ("href", "src", "action", "formaction")]
        if any(name.startswith("on") for name in told) or any(link.startswith("javascript:") for link in links):
            self.found.append((tag, told))


def dangers_of(page):
    dangers = Dangers()
    dangers.feed(page)
    return dangers.found


def sum_of(page):
    """The figures of the points' table: those that are added up, and what stands below the line."""
    table = only(r'(<table class="sum" id="points-sum">.*?</table>)', page, re.S)
    body, foot = table.split("<tfoot>")
    numbers = re.findall(r'<td class="n">([\d.,]+)</td></tr>', body)
    total = only(r"<strong>([\d.,]+)</strong>", foot)
    return [float(each.replace(",", "")) for each in numbers], float(total.replace(",", ""))


async def happened(people, client):
    rows = [people.touchpoint(f"v{n}", days=n + 1, topics=["pumps"], channel="web") for n in range(3)]
    rows += [
        people.touchpoint("s", "service_call", days=2, channel="phone", topics=["valves"]),
        people.touchpoint("d", "download", days=4),
        people.touchpoint("o", "email_sent", days=3, channel="email", direction="outbound"),
        people.touchpoint("c", "consent_given", days=9, channel="email"),
        people.touchpoint("n", days=1, contact="crm:2", topics=["drives"]),
        people.touchpoint("s3", days=1, contact="crm:3"),
    ]
    assert (await client.post("/v1/touchpoints", json=rows, headers=bearer())).status_code == 200


@pytest.mark.parametrize("trend", ["rising", "falling", "steady", None])
def test_a_chance_is_shown_with_its_trend_or_why_there_is_none(people, monkeypatch, trend):
    asked = portraits.portrait

    def portrait(*given, **more):
        found = asked(*given, **more)
        why = {"trend_why": "scored once only"} if trend is None else {}
        chance = {"probability": 0.75, "risk": "low", "trend": trend, **why}
        return replace(found, profile={**found.profile, "propensities": {"churn": chance}})

    monkeypatch.setattr(contact, "portrait", portrait)

    async def journey(client):
        await signed_in(client)
        return await client.get("/contacts/crm:1")

    page = people.run(journey)
    assert page.status_code == 200
    assert f"May leave 75% no higher than usual {said(trend)}" in text_of(page.text)


def said(trend):
    return {"rising": "↗ rising", "falling": "↘ falling", "steady": "steady"}.get(trend, "scored once only")


def test_the_page_says_what_the_api_says_and_logs_nothing(people):
    async def journey(client):
        await happened(people, client)
        await signed_in(client)
        said = (await client.get("/v1/contacts/crm:1", headers=bearer())).json()
        english = await client.get("/contacts/crm%3A1", headers={"accept-language": "en"})
        german = await client.get("/contacts/crm%3A1", headers={"accept-language": "de"})
        return said, english, german, people.service.store.counts()["decisions"]

    said, english, german, n = people.run(journey)
    assert (english.status_code, german.status_code, n) == (200, 200, 0)
    parts, total = sum_of(english.text)
    assert parts == [each["points"] for each in said["points"]["log"]]
    assert sum(parts) == total == said["points"]["total"] == 365
    shown = text_of(english.text)
    for topic, strength in said["interests"].items():
        assert f"{topic} {strength:.2f}" in shown
    assert f"{said['touchpoints']} touchpoints" in shown
    assert english.text.count('<li class="in">') + english.text.count('<li class="out">') == len(said["timeline"])
    assert english.text.count('<li class="out">') == 1
    assert '<html lang="de">' in german.text and "Was jetzt zu tun ist" in text_of(german.text)
    assert 'href="tel:+41447681010"' in english.text and 'href="/accounts/acme"' in english.text
    # Since when there is consent, and that the other channels ask for none.
    assert "consent" in shown and "given" in shown


def test_an_item_of_the_list_is_worked_off_on_the_page(people):
    async def journey(client):
        await happened(people, client)
        asked = {"contact": "crm:1", "exclude": ["newsletter_topic"], "decision_id": "d1"}
        answer = (await client.post("/v1/recommend", json=asked, headers=bearer())).json()
        people.now += 60_000_000
        await signed_in(client)
        page = (await client.get("/contacts/crm%3A1")).text
        done = {"seal": seal_in(page), "outcome": "done", "action": "sales_call", "note": "fine"}
        told = await client.post("/contacts/crm%3A1", data=done, follow_redirects=False)
        people.now += 60_000_000
        after = (await client.get("/contacts/crm%3A1?said=done")).text
        unsealed = await client.post("/contacts/crm%3A1", data={**done, "seal": "0"})
        await signed_in(client, NORTH)
        seal = seal_in((await client.get("/contacts/crm%3A2")).text)
        foreign = await client.post("/contacts/crm%3A1", data={**done, "seal": seal})
        return answer, page, told, after, unsealed, foreign, people.service.store.outcomes_of("d1")

    answer, page, told, after, unsealed, foreign, outcomes = people.run(journey)
    assert [each["action"] for each in answer["recommendations"]] == ["sales_call"]
    assert 'name="outcome" value="done"' in page
    assert (told.status_code, told.headers["location"]) == (303, "/contacts/crm%3A1?said=done")
    assert [(each.outcome, each.note) for each in outcomes] == [("done", "fine")]
    assert 'name="outcome" value="done"' not in after and "→ Done" in text_of(after)
    assert (unsealed.status_code, foreign.status_code) == (403, 404)


def test_a_partner_finds_its_own_and_nobody_else_by_any_way(people):
    async def journey(client):
        await happened(people, client)
        await signed_in(client, NORTH)
        own = [(await client.get(f"/contacts?q={q}")).text for q in ("nor", "nord", "crm:2", "0447681012")]
        others = ("Ann", "lee", "crm:1", "ann.lee@", "+41447681010", "susi@sued", "crm:3", "Süd", "crm:9", "jane")
        found = [(await client.get("/contacts", params={"q": q})).text for q in others]
        pages = [await client.get(f"/contacts/{each}") for each in ("crm%3A1", "crm%3A3", "crm%3A9", "crm:1?limit=500")]
        return own, found, (await client.get("/contacts/crm%3A2")), pages

    own, found, page, others = people.run(journey)
    assert all("Nora Nord" in each for each in own) and page.status_code == 200
    assert all("Nobody found" in text_of(each) for each in found)
    assert {each.status_code for each in others} == {404}
    # Somebody else's page is word for word that of nobody.
    assert (
        len({re.sub(r"crm(%3A|%253A|:)\d", "", re.sub(r"limit(=|%3D)\d+", "", each.text)) for each in others[:3]}) == 1
    )


def test_we_find_ours_however_they_are_remembered(people):
    async def journey(client):
        await happened(people, client)
        await signed_in(client)
        ways = {
            "crm:1": ("crm:1", "ann", "LEE", "ann l", "ann.lee@a", "044 768 10 10", "0041 44 768 10 10"),
            "crm:4": ("älva", "Älva", "öst", "ÖST"),
        }
        found = {who: [(await client.get("/contacts", params={"q": q})).text for q in ws] for who, ws in ways.items()}
        hidden = [(await client.get("/contacts", params={"q": q})).text for q in ("nora", "crm:2", "0447681012")]
        return found, hidden, (await client.get("/contacts/crm%3A2")).status_code

    found, hidden, page = people.run(journey)
    assert all(f"/contacts/crm%3A{who[-1]}" in each for who, pages in found.items() for each in pages)
    # Partners keep theirs to themselves where nothing else is agreed.
    assert not any("Nora" in each for each in hidden) and page == 404


def test_who_sells_finds_its_own_only(people):
    async def journey(client):
        await signed_in(client, JANE)
        found = [(await client.get("/contacts", params={"q": q})).text for q in ("öst", "lee", "nora")]
        return found, [(await client.get(f"/contacts/crm%3A{n}")).status_code for n in (4, 1, 2)]

    (own, *others), pages = people.run(journey)
    assert "Älva Öst" in own and all("Nobody found" in text_of(each) for each in others)
    assert pages == [200, 404, 404]


def test_of_a_partners_contact_only_what_it_shares_is_shown_and_finds(people):
    with Store.open(people.settings.store.url) as store, store.writing() as writing:
        writing.records("partners", [RecordRow("north", 0, {"visible": ["stage", "points"]})])

    async def journey(client):
        await happened(people, client)
        await signed_in(client)
        found = [(await client.get("/contacts", params={"q": q})).text for q in ("nora", "0447681012", "crm:2")]
        said = (await client.get("/v1/contacts/crm:2", headers=bearer())).json()
        return found, said, await client.get("/contacts/crm%3A2")

    (by_name, by_phone, by_identity), said, page = people.run(journey)
    assert "crm%3A2" not in by_name + by_phone and "/contacts/crm%3A2" in by_identity
    assert said["timeline"] == [] and said["points"]["total"] == 5 == sum_of(page.text)[1]
    assert "The partner does not share this" in page.text
    assert not re.search("Nora|768 10|drives|<li class=.in", by_identity + page.text)


def test_what_others_wrote_is_shown_as_text(people):
    async def journey(client):
        rows = [
            people.touchpoint(f"x{i}", "visit", contact="crm:5", topics=[evil], channel=evil, note=evil)
            for i, evil in enumerate(EVIL)
        ]
        await client.post("/v1/touchpoints", json=rows, headers=bearer())
        await signed_in(client)
        return [(await client.get(path)).text for path in ("/contacts/crm%3A5", "/contacts?q=%3Cscript")]

    for page in people.run(journey):
        assert text_of(page).count(EVIL[0]) >= 1
        assert dangers_of(page) == []
        assert "49" not in text_of(page)
