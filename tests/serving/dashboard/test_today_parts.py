"""Today comes in parts: the first items at once, the next ones into the same list, with and without a script."""

import re

import pytest

from serving.dashboard import today
from serving.worklist import page
from tests.serving.dashboard.test_signing_in import KEY, signed_in, with_key
from tests.serving.test_worklist import SETTINGS, fill, score

NAMES = [f"crm:{i:02}" for i in range(23)]
PART = {"hx-request": "true"}


@pytest.fixture
def shop(local, tmp_path):
    found = with_key(type(local)(tmp_path, SETTINGS), scopes=("read", "feedback", "ingest"))
    found.tick = 0
    return found


async def begun(client, local):
    client.headers["Authorization"] = f"Bearer {KEY}"
    await fill(local, client, NAMES)
    del client.headers["Authorization"]
    local.service.store.save_scores([score(local, name, 99.0 - i) for i, name in enumerate(NAMES)])
    local.now += 1_000_000
    await signed_in(client)


def names_in(text):
    return re.findall(r'name="contact" value="([^"]*)"', text)


def next_in(text):
    found = re.search(r'href="([^"]*)" rel="next"', text)
    return found and found[1].replace("&amp;", "&")


def test_parts_are_one_list_that_is_the_apis(shop):
    async def journey(client):
        await begun(client, shop)
        first = (await client.get("/today")).text
        second = (await client.get(next_in(first), headers=PART)).text
        third = (await client.get(next_in(second), headers=PART)).text
        plain = (await client.get(next_in(first))).text
        api = (await client.get("/v1/worklist?limit=50", headers={"Authorization": f"Bearer {KEY}"})).json()
        return first, second, third, plain, api

    first, second, third, plain, api = shop.run(journey)
    parts = (first, second, third)
    assert [name for part in parts for name in names_in(part)] == [each["contact_id"] for each in api["contacts"]]
    assert [len(names_in(part)) for part in parts] == [10, 10, 3]
    # Numbers go on, and no id stands in two parts but that of the link whose focus its first item takes over.
    ids = [re.findall(r' id="((?:item|from)-\d+)"', part) for part in parts]
    assert [each for each in ids[0] + ids[1] + ids[2] if each.startswith("item")] == [f"item-{i}" for i in range(1, 24)]
    assert all(len(set(each)) == len(each) for each in ids)
    assert set(ids[0]) & set(ids[1]) == {"from-11"} and set(ids[1]) & set(ids[2]) == {"from-21"}
    # A part is nothing but items and what stands behind them; the last one asks for no more.
    assert "<html" not in second and second.count("hx-swap-oob") == third.count("hx-swap-oob") == 1
    assert 'hx-trigger="revealed"' in second and "hx-get" not in third and next_in(third) is None
    # Without a script the same link is a page of its own.
    assert "<html" in plain and 'start="11"' in plain and names_in(plain) == names_in(second)


def test_a_part_tells_of_chances_as_the_page_does(shop, monkeypatch):
    async def likely(*args):
        found = await page(*args)
        chance = {"goal": "conversion", "probability": 0.25, "grade": "A", "risk": None, "trend": "rising"}
        return {**found, "contacts": [{**each, "propensity": chance} for each in found["contacts"]]}

    monkeypatch.setattr(today, "page", likely)

    async def journey(client):
        await begun(client, shop)
        first = await client.get("/today")
        return first.text, (await client.get(next_in(first.text), headers=PART)).text

    assert [each.count('class="grade ga"') for each in shop.run(journey)] == [10, 10]


def test_a_part_of_a_list_that_was_made_anew_says_so(shop):
    async def journey(client):
        await begun(client, shop)
        behind = next_in((await client.get("/today?stage=need")).text)
        shop.service.store.save_scores([score(shop, name, 9.0) for name in NAMES])
        part = await client.get(behind, headers=PART)
        return part, await client.get(behind, follow_redirects=False)

    part, plain = shop.run(journey)
    assert part.status_code == 200 and 'role="status"' in part.text and 'href="/today?stage=need"' in part.text
    assert names_in(part.text) == []
    assert (plain.status_code, plain.headers["location"]) == (303, "/today?stage=need")
