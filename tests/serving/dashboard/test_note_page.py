"""Notes: a touchpoint at once and once, of one's own contacts only, in both languages, shown as text."""

import re
from datetime import UTC, datetime
from html import unescape
from urllib.parse import quote

import pytest

from features.rows.row_types import ContactRow, RecordRow
from features.times import DAY
from tests.serving.dashboard.page_text import only, seal_in
from tests.serving.dashboard.test_signing_in import KEY, with_key

ALL = ("read", "recommend", "feedback", "ingest")
EVIL = '"><script>alert(1)</script>{{7*7}}<b>'


def held(local, **more):
    return with_key(local, scopes=ALL, **more)


async def signed_in(client, **headers):
    await client.post("/sign-in", data={"key": KEY})
    client.headers.update(headers)
    page = (await client.get("/note")).text
    return {"seal": seal_in(page), "note_id": only(r'name="note_id" value="([0-9a-f]{32})"', page)}


def noted(local, contact="email:ann@example.com"):
    return local.service.store._all("SELECT kind, properties, source FROM touchpoints WHERE identity = ?", (contact,))


TOLD = {"name": "Ann Lee", "email": "Ann@Example.com", "kind": "fair_visit", "topic": "pumps", "words": "wants a quote"}


def test_a_note_is_a_touchpoint_at_once_and_what_is_next_follows_it(local):
    async def journey(client):
        form = await signed_in(client)
        answer = await client.post("/note", data={**form, **TOLD, "stage": "evaluate"})
        page = await client.get(answer.headers["location"])
        return answer, page.text, noted(local), local.service.store.traits("email:ann@example.com", 2**62)

    answer, page, rows, traits = held(local).run(journey)
    assert answer.status_code == 303
    [(kind, properties, source)] = rows
    assert (kind, source) == ("fair_visit", "note")
    assert {'"note":"wants a quote"', '"said_stage":"evaluate"', '"noted_by":"ann"'} <= set(properties[1:-1].split(","))
    assert traits == {"name": "Ann Lee", "email": "Ann@Example.com"}
    assert "It is stored" in page and "Ann Lee" in page and "Recommended next" in page


@pytest.mark.parametrize(
    ("said", "value"),
    [("1,500", 1500.0), ("1.500", 1500.0), ("1.234.567", 1234567.0), ("1.234,5", 1234.5), ("12,50", 12.5), (".5", 0.5)],
)  # fmt: skip
def test_an_amount_is_read_as_people_write_it(local, said, value):
    async def journey(client):
        answer = await client.post("/note", data={**await signed_in(client), **TOLD, "value": said})
        assert answer.status_code == 303, answer.text
        return local.service.store._all("SELECT value FROM touchpoints")

    assert held(local).run(journey) == [(value,)]


def test_what_is_recommended_after_a_note_is_not_logged(local):
    async def journey(client):
        form = await signed_in(client)
        await client.get((await client.post("/note", data={**form, **TOLD})).headers["location"])
        return local.service.store._all("SELECT count(*) FROM decisions")

    assert held(local).run(journey) == [(0,)]


def test_a_note_that_is_sent_twice_is_stored_once(local):
    async def journey(client):
        form = await signed_in(client)
        fields = {**form, **TOLD, "next": "sales_call", "until": f"{datetime.now(UTC).year + 1}-01-05"}
        answers = [await client.post("/note", data=fields) for _ in range(2)]
        queued = await client.post("/note", data=fields, headers={"nba-note": "queued"})
        return [each.headers["location"] for each in answers], queued.json(), noted(local)

    (first, second), queued, rows = held(local).run(journey)
    assert "said=stored" in first and "said=known" in second and queued["said"].endswith("said=known")
    assert sorted(row[0] for row in rows) == ["fair_visit", "snoozed"]


def test_a_wished_day_rests_the_action_until_then(local):
    async def journey(client):
        form = await signed_in(client)
        day = datetime.fromtimestamp((local.now + 5 * DAY) / 1e6, UTC).strftime("%Y-%m-%d")
        await client.post("/note", data={**form, **TOLD, "next": "sales_call", "until": day})
        asked = {"contact": "email:ann@example.com", "explain": True}
        return (await client.post("/v1/recommend", json=asked, headers={"authorization": f"Bearer {KEY}"})).json()

    removed = {each["action"]: each["rule"] for each in held(local).run(journey)["removed"]}
    assert removed["sales_call"] == "paused"


def test_somebody_who_is_known_by_an_address_is_not_made_twice(local):
    async def journey(client):
        row = local.touchpoint("t1", contact="crm:7")
        with local.service.store.writing() as writing:
            writing.contacts([ContactRow("crm:7", 1, {"name": "Ann Meier", "email": "ann@example.com"})])
        await client.post("/v1/touchpoints", json=row, headers={"authorization": f"Bearer {KEY}"})
        form = await signed_in(client)
        people = await client.get("/note/people?q=mei")
        answer = await client.post("/note", data={**form, **TOLD, "phone": "+41 44 123 45 67"})
        return people.text, answer.headers["location"], local.service.store.traits("crm:7", 2**62)

    people, where, traits = held(local).run(journey)
    assert "/note?contact=crm%3A7" in people
    assert where.startswith("/note?saved=crm%3A7&")
    # What was known stays; what is new is added.
    assert traits == {"name": "Ann Meier", "email": "ann@example.com", "phone": "+41 44 123 45 67"}


def test_a_foreign_contact_is_refused_as_if_it_did_not_exist(local):
    async def journey(client):
        with local.service.store.writing() as writing:
            traits = {"name": "Bea Low", "email": "bea@example.com", "partner": "south"}
            writing.contacts([ContactRow("crm:9", 1, traits)])
        form, told = await signed_in(client), []
        for name, person in (("crm:9", "bea"), ("crm:8", "zoe")):
            answers = (
                await client.get(f"/note?contact={name}"),
                await client.post("/note", data={**form, "contact": name, "kind": "fair_visit"}),
                await client.get(f"/note?saved={name}"),
                await client.get(f"/note/people?q={person}"),
            )
            told.append([(each.status_code, without(each.text, name, person)) for each in answers])
        return told, [noted(local, name) for name in ("crm:9", "crm:9@partner:north")]

    (foreign, unknown), rows = held(local, partner="north").run(journey)
    assert foreign == unknown
    assert [status for status, _ in foreign] == [404, 422, 200, 200]
    assert rows == [[], []]
    assert "Bea Low" not in str(foreign)


def without(page, *asked):
    """Take out of a page the time, secrets, and what was asked for."""
    # Secrets go first: "bea" may stand in one, and what were left of it would not be known as one.
    page = re.sub(r"<time>.*?</time>|[0-9a-f]{32,}", "", page)
    for each in asked:
        page = page.replace(each, "").replace(quote(each, safe=""), "").replace(quote(quote(each, safe="")), "")
    return page


def test_a_company_that_is_known_is_named_by_its_key(local):
    async def journey(client):
        with local.service.store.writing() as writing:
            writing.records("accounts", [RecordRow("a1", 1, {"name": "Acme AG"}), RecordRow("a2", 1, {"name": "Acme"})])
        form = await signed_in(client)
        await client.post("/note", data={**form, **TOLD, "account": "acme ag"})
        return local.service.store.traits("email:ann@example.com", 2**62)["account"]

    assert held(local).run(journey) == "a1"


def test_a_dealer_writes_of_contacts_of_its_own(local):
    async def journey(client):
        form = await signed_in(client)
        answer = await client.post("/note", data={**form, **TOLD})
        page = await client.get(answer.headers["location"])
        name = "email:ann@example.com@partner:north"
        return page.text, noted(local, name), local.service.store.traits(name, 2**62)

    page, rows, traits = held(local, partner="north").run(journey)
    assert [row[0] for row in rows] == ["fair_visit"]
    assert traits["partner"] == "north" and "Ann Lee" in page


def test_faults_are_told_beside_their_fields_in_both_languages(local):
    async def journey(client):
        form = await signed_in(client)
        wrong = {**form, "name": "", "phone": "12", "kind": "nonsense", "next": "sales_call", "words": EVIL}
        english = await client.post("/note", data=wrong)
        german = await client.post("/note", data=wrong, headers={"accept-language": "de"})
        queued = await client.post("/note", data=wrong, headers={"nba-note": "queued"})
        return english, german, queued, local.service.store._all("SELECT count(*) FROM touchpoints")

    english, german, queued, stored = held(local).run(journey)
    assert english.status_code == german.status_code == queued.status_code == 422
    assert "This is no phone number." in english.text and "Das ist keine Telefonnummer." in german.text
    assert EVIL not in english.text and "&lt;script&gt;alert(1)" in english.text
    assert len(queued.json()["refused"]) == 3
    assert stored == [(0,)]


def test_what_somebody_is_called_is_shown_as_text(local):
    async def journey(client):
        form = await signed_in(client)
        fields = {**form, "name": EVIL, "account": EVIL, "topic": EVIL, "kind": "fair_visit", "words": EVIL}
        answer = await client.post("/note", data=fields)
        page = await client.get(answer.headers["location"])
        return page.text, (await client.get('/note/people?q="><')).text

    for page in held(local).run(journey):
        assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def test_the_form_that_a_phone_keeps_is_nobodys(local):
    async def journey(client):
        await signed_in(client)
        client.cookies.clear()
        kept = await client.get("/note/offline", headers={"accept-language": "de"})
        worker = await client.get("/note-worker.js?language=de")
        ready = await client.get("/note/ready")
        return kept, worker, ready

    kept, worker, ready = held(local).run(journey)
    assert "Es gibt kein Netz" in kept.text and not re.search(r"\bann\b", kept.text)
    assert 'name="note_id" value=""' in kept.text and seal_of(kept.text) == ""
    assert (
        worker.headers["content-type"].startswith("text/javascript")
        and worker.headers["service-worker-allowed"] == "/note"
    )
    assert ready.status_code == 303


def seal_of(page):
    return only(r'name="seal" value="([0-9a-f]*)"', page)


def test_a_key_that_may_only_read_writes_nothing(local):
    async def journey(client):
        await client.post("/sign-in", data={"key": KEY})
        return (await client.get("/note")).status_code, (await client.post("/note", data={"name": "x"})).status_code

    assert with_key(local).run(journey) == (403, 403)


def test_a_note_without_the_seal_of_the_sign_in_is_refused(local):
    async def journey(client):
        await signed_in(client)
        return (await client.post("/note", data={**TOLD, "seal": "0" * 64}, headers={"nba-note": "queued"})).status_code

    assert held(local).run(journey) == 403


LIST = (
    "Name;E-Mail;Firma;Thema;Notiz;Farbe\r\n"
    "Ann Lee;ann@example.com;Acme AG;pumps;wants a quote;red\r\n"
    "Bob Low;nonsense;" + '"' + EVIL.replace('"', '""') + '"' + ";;;\r\n"
    ";;;valves;nobody;\r\n"
    'Cid Orr;;\'=1+1;valves;"a\r\nb";\r\n'
)


async def looked(client, form, text, **more):
    return await client.post("/note/list", data={"seal": form["seal"], **more}, files={"file": ("l.csv", text)})


async def confirmed(client, page, form, **more):
    text = unescape(only(r'<textarea name="list"[^>]*>\n(.*?)</textarea>', page, re.S))
    parts = {"seal": (None, form["seal"]), "list": (None, text), **{name: (None, said) for name, said in more.items()}}
    return await client.post("/note/list/store", files=parts)


def test_a_list_is_looked_through_and_stored_once(local):
    async def journey(client):
        form = await signed_in(client)
        page = await looked(client, form, LIST.encode("cp1252"), kind="fair_visit")
        before = local.service.store._all("SELECT count(*) FROM touchpoints")
        first = await confirmed(client, page.text, form, kind="fair_visit")
        again = await confirmed(client, page.text, form, kind="fair_visit")
        rows = local.service.store._all("SELECT kind, properties FROM touchpoints ORDER BY 1, 2")
        traits = [row.body for row in local.service.store.contact_rows()]
        return page, before, first, again, rows, traits

    page, before, first, again, rows, traits = held(local).run(journey)
    assert "Right: 2. Faulty: 2." in page.text and "Farbe" in page.text
    assert "This is no e-mail address." in page.text and "Give a name, an e-mail" in page.text
    assert "<script>alert" not in page.text
    assert before == [(0,)]
    assert "2 contacts are stored." in first.text and "2 of 2 contacts have a recommendation now" in first.text
    assert "All of it was stored before." in again.text
    assert [kind for kind, _ in rows] == ["fair_visit"] * 2
    assert {"name": "Cid Orr", "account": "=1+1"} in traits


def test_a_dealers_list_tells_of_contacts_of_its_own(local):
    async def journey(client):
        with local.service.store.writing() as writing:
            writing.contacts([ContactRow("crm:9", 1, {"email": "ann@example.com", "partner": "south"})])
        form = await signed_in(client, **{"accept-language": "de"})
        text = b"kundennummer,email,name\ncrm:9,,x\n,ann@example.com,Ann\n"
        page = await looked(client, form, text, kind="fair_visit")
        answer = await confirmed(client, page.text, form, kind="fair_visit")
        rows = local.service.store._all("SELECT identity FROM touchpoints")
        return page.text, answer.text, rows

    page, answer, rows = held(local, partner="north").run(journey)
    assert "Richtig: 1. Fehlerhaft: 1." in page and "oder Sie dürfen ihn nicht sehen" in page
    assert "1 Kontakt ist gespeichert." in answer
    assert rows == [("email:ann@example.com@partner:north",)]


def test_what_is_no_list_is_said_so(local):
    async def journey(client):
        form = await signed_in(client)
        many = "name\n" + "x\n" * 2_001
        told = [await looked(client, form, text) for text in (b"", b"colour\nred\n", b"\x00\x01", many.encode())]
        unsealed = await client.post("/note/list", data={"seal": "0"}, files={"file": ("l.csv", b"name\nx")})
        large = await looked(client, form, b"x" * (2 * 1024 * 1024))
        plain = await client.post("/note/list", data={"seal": form["seal"]})
        return [each.status_code for each in (*told, unsealed, large, plain)]

    assert held(local).run(journey) == [422, 422, 422, 422, 403, 413, 422]
