"""Readers are told in their own language: in answers, profiles, the worklist and exports; programs in none."""

from tests.german import english_in, sentences_of
from tests.serving.conftest import SETTINGS, Local

GERMAN = {"Accept-Language": "de-CH,de;q=0.9,en;q=0.5"}
NAMES = ("download", "email", "phone", "pumps", "opt_in", "opt_out", "double_opt_in", "presumed")


def test_an_answer_is_in_the_language_that_was_asked_for_and_the_same_id_gives_the_same_bytes(local):
    ask = {"contact": "crm:1", "explain": True, "limit": 9}

    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("a", "download"))
        german = await client.post("/v1/recommend", json={**ask, "decision_id": "d1"}, headers=GERMAN)
        again = await client.post("/v1/recommend", json={**ask, "decision_id": "d1"})
        english = await client.post("/v1/recommend", json=ask)
        batch = await client.post("/v1/recommend/batch", json={"requests": [ask, ask]}, headers=GERMAN)
        return german, again, english, batch

    german, again, english, batch = local.run(journey)
    assert again.content == german.content
    for found in (german.json(), *batch.json()["answers"]):
        told = list(sentences_of(found))
        assert told and not any(english_in(text, (*NAMES, *local.settings.actions)) for text in told), told
    assert any(english_in(text) for text in sentences_of(english.json()))
    rules = [[(each["action"], each["rule"]) for each in one.json()["removed"]] for one in (german, english)]
    assert rules[0] == rules[1]


def test_who_asks_for_none_of_ours_gets_that_of_the_settings(tmp_path):
    app = Local(tmp_path, SETTINGS.replace("[serving]", "[serving]\nlanguage = 'de'"))

    async def journey(client):
        await client.post("/v1/touchpoints", json=app.touchpoint("a", "download"))
        found = []
        for wish in ("fr", "*", "en-US"):
            answer = await client.post("/v1/recommend", json={"contact": "crm:1"}, headers={"Accept-Language": wish})
            found.append(answer.json())
        return found

    french, any_, english = app.run(journey)
    for found in (french, any_):
        assert not any(english_in(text, NAMES) for text in sentences_of(found))
    assert [len(list(sentences_of(found))) > 0 for found in (french, english)] == [True, True]


def test_a_profile_is_told_in_the_readers_language(local):
    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("a", "download"))
        return await client.get("/v1/contacts/crm:1", headers=GERMAN), await client.get("/v1/contacts/crm:1")

    german, english = (answer.json() for answer in local.run(journey))
    assert german.keys() == english.keys()
    assert {**german, "propensities": None, "as_of": None} == {**english, "propensities": None, "as_of": None}
