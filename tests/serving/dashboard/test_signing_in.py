"""Signing in with a key, and what opens without, with a foreign form, and after signing out."""

import re

import httpx

from features.rows.row_types import KeyRow
from features.store.keys import revoke_key, store_key
from serving.dashboard import session, today
from serving.keys import digest_of
from tests.serving.dashboard.page_text import seal_in

KEY = "nba_" + "k" * 43


def with_key(local, **more):
    """Store a key before the service starts."""
    from features.store.store import Store

    row = KeyRow("id-ann", "ann", digest_of(KEY), ("read", "recommend", "feedback"), None, None, False, (), None, 0)
    with Store.open(local.settings.store.url) as store, store.writing() as writing:
        store_key(writing, row._replace(**more))
    return local


async def signed_in(client, key=KEY, **more):
    return await client.post("/sign-in", data={"key": key, "next": "/model", **more}, follow_redirects=False)


def test_a_key_signs_in_and_out(local):
    async def journey(client):
        closed = await client.get("/today")
        entered = await signed_in(client)
        cookie = client.cookies[session.COOKIE]
        page = (await client.get("/sign-in")).text
        unsealed = await client.post("/sign-out", data={"seal": "0" * 64})
        left = await client.post("/sign-out", data={"seal": seal_in(page)})
        client.cookies.set(session.COOKIE, cookie)
        again = await client.post("/sign-out", data={"seal": seal_in(page)})
        return closed, entered, unsealed, left, again

    closed, entered, unsealed, left, again = with_key(local).run(journey)
    assert (closed.status_code, closed.headers["location"]) == (303, "/sign-in?next=%2Ftoday")
    assert (entered.status_code, entered.headers["location"]) == (303, "/model")
    assert {"HttpOnly", "SameSite=lax"} <= set(entered.headers["set-cookie"].split("; "))
    assert unsealed.status_code == 403
    assert left.status_code == 303
    # A copy of the cookie opens nothing any more.
    assert again.status_code == 403


def test_the_key_itself_is_nowhere_in_cookie_or_store(local):
    async def journey(client):
        await signed_in(client)
        rows = local.service.store._all("SELECT * FROM sessions")
        return client.cookies[session.COOKIE], repr(rows)

    cookie, stored = with_key(local).run(journey)
    assert KEY not in cookie and KEY not in stored and cookie not in stored


def test_wrong_and_public_keys_open_nothing(local):
    async def journey(client):
        return [(await signed_in(client, key)).status_code for key in ("", "nba_x", KEY)]

    assert with_key(local, public=True).run(journey) == [401, 401, 401]


def test_a_foreign_page_cannot_sign_anybody_in(local):
    async def journey(client):
        data = {"key": KEY}
        foreign = {"origin": "https://elsewhere.example"}
        return [
            (await client.post("/sign-in", data=data, headers=foreign)).status_code,
            (await client.post("/sign-in", data=data, headers={"sec-fetch-site": "cross-site"})).status_code,
            (await client.post("/sign-in", data=data, headers={"origin": "http://localhost"})).status_code,
        ]

    assert with_key(local).run(journey) == [403, 403, 303]


def test_a_revoked_key_ends_its_sign_ins(local):
    async def journey(client):
        await signed_in(client)
        seal = seal_in((await client.get("/sign-in")).text)
        with local.service.store.writing() as writing:
            revoke_key(writing, "id-ann", 1)
        local.service.keys.read(local.service.store)
        return await client.post("/sign-out", data={"seal": seal})

    assert with_key(local).run(journey).status_code == 403


def test_the_language_stays_chosen_and_leads_nowhere_else(local):
    async def journey(client):
        wished = await client.get("/sign-in", headers={"accept-language": "de-CH,de;q=0.9"})
        switched = await client.get("/language/en?next=//elsewhere.example")
        chosen = await client.get("/sign-in", headers={"accept-language": "de-CH,de;q=0.9"})
        return wished, switched, chosen

    wished, switched, chosen = with_key(local).run(journey)
    assert '<html lang="de">' in wished.text and "Anmelden" in wished.text
    assert switched.headers["location"] == "/"
    assert '<html lang="en">' in chosen.text


def test_an_address_that_no_page_has_is_answered_with_a_page_to_people_and_with_a_problem_to_programs(local):
    async def journey(client):
        await signed_in(client)
        by_hand = {"sec-fetch-mode": "navigate", "accept-language": "de"}
        lost = await client.get("/todai", headers=by_hand, follow_redirects=True)
        return lost, await client.get("/todai"), await client.get("/v1/worklist", headers=by_hand)

    lost, asked, called = with_key(local).run(journey)
    assert (lost.status_code, lost.url.path) == (404, "/no-such-page") and "Hier ist nichts" in lost.text
    assert 'href="/today"' in lost.text
    assert {each.status_code for each in (asked, called)} == {401} and asked.json()["code"] == "no-valid-key"


def test_a_mistake_of_ours_is_told_in_words_and_logged_by_its_place_only(local, monkeypatch, caplog):
    async def broken(*asked):
        raise ZeroDivisionError("Ada Muster")

    monkeypatch.setattr(today, "page", broken)

    async def journey(client):
        await signed_in(client)
        return await client.get("/today")

    answer = with_key(local).run(journey)
    assert answer.status_code == 500 and "The service made a mistake here" in answer.text and 'href="/' in answer.text
    assert "ZeroDivisionError" in caplog.text and "Ada" not in caplog.text + answer.text


def test_assets_are_kept_and_named_by_their_content(local):
    async def journey(client):
        page = (await client.get("/sign-in")).text
        found = [await client.get(path) for path in re.findall(r'(?:href|src)="(/assets/[^"]+)"', page)]
        return page, found, await client.get("/assets/style-000000000000.css")

    page, found, missing = with_key(local).run(journey)
    assert len(found) == 4
    assert {(each.status_code, "immutable" in each.headers["cache-control"]) for each in found} == {(200, True)}
    assert missing.status_code == 404
    assert "<style" not in page and "style=" not in page and "onclick" not in page


def test_a_browser_at_the_root_is_sent_to_the_pages(local):
    async def journey(client: httpx.AsyncClient):
        return (
            await client.get("/", headers={"accept": "text/html,application/xhtml+xml"}),
            await client.get("/"),
        )

    browser, program = with_key(local).run(journey)
    assert (browser.status_code, browser.headers["location"]) == (303, "/today")
    assert program.status_code == 401
