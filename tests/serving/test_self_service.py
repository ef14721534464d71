"""The page of a person's signed link: it shows what is known, and what is chosen there holds."""

import re

import pytest

from features.rows.row_types import LinkRow, RecordRow
from features.store.store import Store
from features.times import DAY
from nba.privacy.tokens import identity_in, token_for
from serving.issuing import Rights, issue
from serving.self_service.page import page
from serving.self_service.words import WORDS
from tests.serving.conftest import NOW, SETTINGS, Local

EVIL = "<script>alert(1)</script>"
RULES = """
[contact_policy.consent]
email = "double_opt_in"
phone = "opt_out"
"""


class Shop(Local):
    key = ""


@pytest.fixture
def shop(tmp_path):
    local = Shop(tmp_path, SETTINGS + RULES)
    with Store.open(local.settings.store.url) as store:
        local.key = issue(store, Rights("crm", ("ingest", "recommend")), by="test", now_us=NOW).key
        with store.writing() as writing:
            writing.contacts([RecordRow("crm:1", 0, {"name": "Ann", "motto": EVIL, "owner": "secret-owner"})])
            writing.links([LinkRow("crm:1", "cookie:1", 5, "login")])
    return local


def link(shop, identity="cookie:1", days=90):
    return f"/me/{token_for(shop.service.secret, identity, shop.now + days * DAY)}"


def head(shop):
    return {"Authorization": f"Bearer {shop.key}"}


async def recommend(shop, client):
    asked = {"contact": "crm:1", "explain": True}
    return (await client.post("/v1/recommend", json=asked, headers=head(shop))).json()


def test_the_page_tells_what_is_known_in_the_readers_language_and_runs_nothing(shop):
    async def journey(client):
        row = shop.touchpoint("t", "visit", contact="cookie:1", topic=f"pumps {EVIL}")
        await client.post("/v1/touchpoints", json=row, headers=head(shop))
        await recommend(shop, client)
        return [
            await client.get(link(shop), headers={"Accept-Language": language})
            for language in ("de-CH, en;q=0.5", "fr")
        ]

    german, english = shop.run(journey)
    assert german.status_code == 200 and WORDS["de"]["title"] in german.text and WORDS["en"]["title"] in english.text
    assert "wurde mit einer Wahrscheinlichkeit von" in german.text and "was drawn with a chance of" in english.text
    for each in (german, english):
        assert EVIL not in each.text and each.text.count("&lt;script&gt;") >= 2
        assert "Ann" in each.text and "cookie:1" in each.text and "secret-owner" not in each.text
        assert "script-src" not in each.headers["content-security-policy"]
        assert each.headers["content-security-policy"].startswith("default-src 'none'")
        assert (each.headers["referrer-policy"], each.headers["cache-control"]) == ("no-referrer", "no-store")


@pytest.mark.parametrize(
    ("form", "rule", "actions"),
    [
        ({"do": "no", "about": "phone"}, "consent", {"newsletter_topic", "sales_call"}),
        ({"do": "all_no"}, "consent", {"newsletter_topic", "sales_call"}),
        ({"do": "rhythm", "at_most": "1/30d"}, None, set()),
    ],
)
def test_what_is_chosen_holds(shop, form, rule, actions):
    async def journey(client):
        chosen = await client.post(link(shop), data=form)
        shown = await client.get(link(shop), params={"saved": "1"})
        return chosen, shown, await recommend(shop, client)

    chosen, shown, decided = shop.run(journey)
    assert (chosen.status_code, chosen.headers["location"]) == (303, "?saved=1")
    assert WORDS["en"]["saved"] in shown.text
    if rule is not None:
        assert {each["action"] for each in decided["removed"] if each["rule"] == rule} == actions
    else:
        assert re.search(r'value="1/30d" selected', shown.text)


def test_who_agrees_waits_for_the_second_step_and_who_objects_is_not_profiled(shop):
    async def journey(client):
        await client.post(link(shop), data={"do": "yes", "about": "email"})
        pending = await client.get(link(shop))
        await client.post(link(shop), data={"do": "no", "about": "profiling"})
        objecting = await recommend(shop, client)
        await client.post(link(shop), data={"do": "yes", "about": "profiling"})
        return pending.text, objecting, await recommend(shop, client)

    pending, objecting, back = shop.run(journey)
    assert WORDS["en"]["pending"] in pending
    assert objecting["mode"] == "default" and back["mode"] != "default"
    with Store.open(shop.settings.store.url) as store:
        told = [row[13] for row in store.touchpoint_rows() if row[3] == "consent_given"]
    assert len(told) == 2 and all('"text_version":"self_service 2"' in each for each in told)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"do": "no", "about": "pigeon"}, 422),
        ({"do": "rhythm", "at_most": "99/1d"}, 422),
        ({"do": "topic_no", "topic": "a\nb"}, 422),
        ({"do": "consent_confirmed"}, 422),
        ({"do": "no", "about": "x" * 5000}, 413),
    ],
)
def test_what_the_page_does_not_offer_is_refused(shop, form, status):
    async def journey(client):
        return (await client.post(link(shop), data=form)).status_code

    assert shop.run(journey) == status
    with Store.open(shop.settings.store.url) as store:
        assert store.counts()["touchpoints"] == 0


def test_a_link_opens_with_what_mailing_tools_add_to_it(shop):
    async def journey(client):
        address = f"{link(shop)}?utm_source=newsletter&utm_source=twice&mc_cid=4%2F2"
        chosen = await client.post(address, data={"do": "all_no"})
        return (await client.get(address)).status_code, chosen.status_code, chosen.headers["location"]

    assert shop.run(journey) == (200, 303, "?saved=1")


def test_a_link_that_is_over_forged_or_of_somebody_erased_opens_nothing(shop):
    async def journey(client):
        over, whole = link(shop, days=-1), link(shop)
        places = [over, f"{whole}x", whole[:-1], whole.replace(".", ""), "/me/x.y", link(shop, "crm:nobody")]
        return [await client.get(place) for place in places] + [await client.post(over, data={"do": "all_no"})]

    for answer in shop.run(journey):
        assert answer.status_code == 404 and WORDS["en"]["gone"] in answer.text and "Ann" not in answer.text


def test_a_token_is_good_for_one_secret_one_person_and_one_time():
    token = token_for(b"s" * 16, "crm:é", 10_000_000)
    assert identity_in(b"s" * 16, token, 9_999_999) == "crm:é"
    assert identity_in(b"t" * 16, token, 0) is None and identity_in(b"s" * 16, token, 10_000_000) is None
    assert all(identity_in(b"s" * 16, token[:at] + "A" + token[at + 1 :], 0) in (None, "crm:é") for at in range(20))


def test_both_languages_have_every_word():
    assert WORDS["de"].keys() == WORDS["en"].keys()
    assert "<form" not in page(None, "de")


def test_what_is_known_stands_there_as_people_say_it(shop):
    with Store.open(shop.settings.store.url) as store, store.writing() as writing:
        told = {
            "person_type": "consumer",
            "newsletter": True,
            "hobbies": ["tea", "go"],
            "size_cm": 180,
            "all": "no",
            "fax": None,
        }
        writing.contacts([RecordRow("crm:1", NOW - DAY, told)])

    async def journey(client):
        row = shop.touchpoint("t", "service_call", channel="phone", topic="valves")
        await client.post("/v1/touchpoints", json=row, headers=head(shop))
        await recommend(shop, client)
        return [(await client.get(link(shop), headers={"Accept-Language": each})).text for each in ("en", "de")]

    english, german = shop.run(journey)
    for said in (
        "called the service line",
        "(Phone)",
        "<strong>Customer</strong>: private",
        "newsletter</strong>: yes",
    ):
        assert said in english
    for said in ("Anruf beim Service", "(Telefon)", "<strong>Kunde</strong>: privat", "newsletter</strong>: ja"):
        assert said in german
    for each in (english, german):
        assert "tea, go" in each and "all</strong>: no <" in each and "size cm</strong>: 180" in each
        assert not re.search(r"\d{4}-\d\d-\d\dT|True|None|person_type|service_call", each)
