"""The pages of accounts: the buying group as the API tells it, and only those accounts that a reader may know of."""

import re

import pytest

from features.rows.row_types import KeyRow, RecordRow, ScoreRow
from features.store.keys import store_key
from features.store.store import Store
from nba.partners.owner_sights import put_down
from serving.keys import digest_of
from tests.serving.dashboard.test_contact_page import EVIL, NORTH, SCOPES, bearer, dangers_of, text_of
from tests.serving.dashboard.test_signing_in import KEY, signed_in


@pytest.fixture
def group(local_with):
    """Two people of ours and one of a partner's who buy together, and an account of the partner's alone."""
    local = local_with(
        '[accounts]\nroles = ["user", "purchasing"]\n[contact_policy]\n'
        'caps = [{ channel = "email", per = "7d", count = 4, account = true }]\n'
    )
    local.tick = 0
    ann = KeyRow("id-ann", "ann", digest_of(KEY), SCOPES, None, None, False, (), None, 0)
    north = ann._replace(key_id="id-north", name="north", digest=digest_of(NORTH), partner="north")
    people = {
        "crm:1": {"name": "Ann Lee", "account": "acme", "role": "user"},
        "crm:2": {"name": "Eva Ott", "account": "acme"},
        "crm:3": {"name": "Nora Nord", "account": "acme", "partner": "north"},
        "crm:4": {"name": "Nils Nord", "account": "nordag", "partner": "north"},
        "crm:5": {"name": EVIL[0], "account": "evil", "role": EVIL[1]},
    }
    with Store.open(local.settings.store.url) as store:
        with store.writing() as writing:
            store_key(writing, ann)
            store_key(writing, north)
            writing.contacts([RecordRow(identity, 0, body) for identity, body in people.items()])
            names = {"acme": "Werkzeug Acme", "zulu": "Zulu AG", "evil": EVIL[0]}
            writing.records("accounts", [RecordRow(key, 0, {"name": name}) for key, name in names.items()])
        store.save_scores(
            ScoreRow(name, 1, "need", 0.0, {}, None, partner=body.get("partner")) for name, body in people.items()
        )
        put_down(store, local.settings, local.now)
    return local


async def happened(group, client):
    rows = [group.touchpoint(f"t{n}", days=n + 1, topics=["pumps"], contact=f"crm:{n % 3 + 1}") for n in range(9)]
    rows += [group.touchpoint("m", "email_sent", days=1, channel="email", direction="outbound")]
    rows += [group.touchpoint("x", contact="crm:5", topics=[EVIL[4]])]
    assert (await client.post("/v1/touchpoints", json=rows, headers=bearer())).status_code == 200


@pytest.mark.parametrize(("language", "left"), [("en", "3 of 4"), ("de", "3 von 4")])
def test_the_page_says_what_the_api_says(group, language, left):
    async def journey(client):
        await happened(group, client)
        await signed_in(client)
        said = (await client.get("/v1/accounts/acme", headers=bearer())).json()
        return said, await client.get("/accounts/acme", headers={"accept-language": language})

    said, page = group.run(journey)
    shown = text_of(page.text)
    assert page.status_code == 200 and f'<html lang="{language}">' in page.text
    assert [each["name"] for each in said["members"]] == ["Ann Lee", "Eva Ott"]
    assert all(each["name"] in shown for each in said["members"]) and "Nora" not in shown
    assert said["missing_roles"] == ["purchasing"]
    for each in said["interests"]:
        strength = f"{each['strength']:.2f}"
        assert (strength if language == "en" else strength.replace(".", ",")) in shown
    assert said["caps"][0]["left"] == 3 and left in shown


def test_a_partner_knows_its_own_accounts_only(group):
    async def journey(client):
        await happened(group, client)
        found = {}
        for key in (NORTH, KEY):
            await signed_in(client, key)
            lists = [(await client.get(path)).text for path in ("/accounts", "/accounts?q=z", "/accounts?q=nor")]
            pages = [await client.get(f"/accounts/{name}") for name in ("acme", "nordag", "zulu", "nothere")]
            found[key] = lists, pages
        return found

    found = group.run(journey)
    (every, z, nor), pages = found[NORTH]
    assert re.findall(r'href="/accounts/(\w+)"', every) == ["acme", "nordag"]
    assert "zulu" not in z and "nordag" in nor
    assert [each.status_code for each in pages] == [200, 200, 404, 404]
    assert "Nora Nord" in pages[0].text and "Ann" not in pages[0].text
    # What it must not know of looks like what nobody has.
    assert pages[2].text.replace("zulu", "nothere") == pages[3].text
    (every, z, nor), pages = found[KEY]
    assert re.findall(r'href="/accounts/(\w+)"', every) == ["acme", "evil", "zulu"]
    assert "Zulu AG" in z and "nordag" not in nor
    assert [each.status_code for each in pages] == [200, 404, 200, 404]


def test_what_others_wrote_is_shown_as_text(group):
    async def journey(client):
        await happened(group, client)
        await signed_in(client)
        return [(await client.get(path)).text for path in ("/accounts", "/accounts/evil")]

    for page in group.run(journey):
        assert EVIL[0] in text_of(page)
        assert dangers_of(page) == []
