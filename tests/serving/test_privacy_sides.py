"""A person's rights by a key that is bound to a partner: it reaches what its own side said, and nothing else."""

import pytest

from features.rows.row_types import ContactRow, QuarantineRow, TouchpointRow
from features.times import DAY
from tests.serving.conftest import NOW
from tests.serving.test_door import Guarded

WORDS = ("Order", "Herbert Muster", "https", "2029-01-01", "timestamp", "crm:2", "herbert@acme.ch", "+41 79 555 12 34")


@pytest.fixture
def dealer(tmp_path):
    found = Guarded(tmp_path)
    scopes = ("ingest", "recommend", "feedback", "read", "privacy")
    found.add("north", *scopes, partner="north")
    found.add("jane", *scopes, owner="jane")
    found.add("full", *scopes)
    found.add("shop", "ingest", public=True, origins=("https://shop.example",))
    with found.store as store, store.writing() as writing:
        for name in ("north", "south"):
            body = {"partner": name, "account": "alpha", "country": "DE"}
            writing.contacts([ContactRow(f"crm:{name}", NOW - 90 * DAY, body)])
            writing.touchpoints([TouchpointRow(f"crm:{name}", NOW - DAY, f"t {name}", "service_call")])
    return found


async def refused_and_waiting(client, dealer):
    """Let a stranger's event be refused, and feedback wait that names it."""
    told = {"url": "https://shop.example/x", "buyer": "Herbert Muster", "phone": "+41 79 555 12 34"}
    event = {"userId": "crm:2", "event": "Order", "timestamp": "2029-01-01", "properties": told}
    told["email"] = "herbert@acme.ch"
    assert (await client.post("/v1/track", json=event, headers=dealer.bearer("full"))).status_code == 400
    said = {
        "decision_id": "d77",
        "outcome": "clicked",
        "note": "herbert@acme.ch, Herbert Muster: order",
        "reason": "Order",
    }
    assert (await client.post("/v1/feedback", json=said, headers=dealer.bearer("full"))).json()["pending"] is True


def kept(dealer):
    with dealer.store as store:
        return [row.raw for row in store.quarantine_rows()], [row.feedback_id for row in store.outcome_rows()]


@pytest.mark.parametrize("side", ["north", "jane"])
def test_words_that_a_bound_key_chooses_reach_nothing_of_others(dealer, side):
    async def journey(client):
        head = dealer.bearer(side)
        await refused_and_waiting(client, dealer)
        before = kept(dealer)
        for n, word in enumerate(WORDS):
            traits = {"name": word, "email": word, "phone": word, "crm_url": word}
            await client.post("/v1/identify", json={"userId": f"x{n}", "traits": traits}, headers=head)
            export = (await client.get(f"/v1/privacy/x{n}/export", headers=head)).json()
            assert export["traits"]["now"]["name"] == word and export["quarantine"] == []
            erased = (await client.delete(f"/v1/privacy/x{n}?reason=r1", headers=head)).json()
            assert erased["removed"]["quarantine"] == erased["removed"]["outcomes"] == 0
        assert kept(dealer) == before and len(before[0]) == len(before[1]) == 1

    dealer.run(journey)


def test_a_bound_key_reaches_refused_rows_with_names_of_its_side_and_its_own_waiting_feedback(dealer):
    async def journey(client):
        head = dealer.bearer("north")
        await refused_and_waiting(client, dealer)
        await client.post("/v1/identify", json={"userId": "eve", "traits": {"name": "Eve Lind"}}, headers=head)
        said = {"decision_id": "d78", "outcome": "clicked", "note": "Eve Lind is away"}
        await client.post("/v1/feedback", json=said, headers=head)
        await client.post("/v1/feedback", json={**said, "decision_id": "d79"}, headers=dealer.bearer("full"))
        with dealer.store as store, store.writing() as writing:
            for who in ("eve@partner:north", "eve@partner:south", "crm:north", "eve"):
                row = QuarantineRow("touchpoints", f'{{"identity": "{who}"}}', "is bad", "is bad", NOW)
                writing.quarantine([row])
        export = (await client.get("/v1/privacy/eve/export", headers=head)).json()
        assert [row["row"] for row in export["quarantine"]] == [{"identity": "eve@partner:north"}]
        assert (await client.get("/v1/privacy/crm:north/export", headers=head)).json()["quarantine"] == []
        erased = (await client.delete("/v1/privacy/eve?reason=r1", headers=head)).json()
        assert (erased["removed"]["quarantine"], erased["removed"]["outcomes"]) == (1, 1)
        assert "a key of the whole house" in " ".join(erased["notes"])
        rows, waiting = kept(dealer)
        assert len(rows) == 4 and len(waiting) == 2
        erased = (await client.delete("/v1/privacy/crm:north?reason=r1", headers=head)).json()
        assert erased["removed"]["quarantine"] == 0
        # Whoever sees everybody finishes it.
        again = (await client.delete("/v1/privacy/crm:north?reason=r1", headers=dealer.bearer("full"))).json()
        assert again["removed"]["quarantine"] == 1

    dealer.run(journey)


def test_a_word_that_a_web_page_chooses_shows_and_removes_nobodys_refused_rows(dealer):
    async def journey(client):
        await refused_and_waiting(client, dealer)
        before = kept(dealer)
        shop, full = {**dealer.bearer("shop"), "Origin": "https://shop.example"}, dealer.bearer("full")
        for n, word in enumerate(("track", "Order", "https", "timestamp", "2029-01-01", "https://shop.example")):
            event = {"userId": f"visitor-{n}", "traits": {"name": word}}
            assert (await client.post("/v1/i", json=event, headers=shop)).status_code == 200
            assert (await client.get(f"/v1/privacy/visitor-{n}/export", headers=full)).json()["quarantine"] == []
            gone = await client.delete(f"/v1/privacy/visitor-{n}?reason=r1", headers=full)
            assert gone.json()["removed"]["quarantine"] == 0
        assert kept(dealer) == before

    dealer.run(journey)


def test_an_erasure_tells_nothing_of_hidden_files_no_folder_and_a_bound_key_no_file(dealer, tmp_path):
    secret = (tmp_path / ".nba-secret").write_text("8d1f5a37c2e94b06a1f3d7e8b5c60942") and "8d1f5a37c2"
    (tmp_path / ".env").write_text(f"PGPASSWORD={secret}")
    (tmp_path / "sent").mkdir()
    (tmp_path / "sent" / "plan.csv").write_text(f"contact_id\n{secret}\n")

    async def journey(client):
        found = []
        for side in ("north", "full"):
            head, event = dealer.bearer(side), {"userId": f"of-{side}", "traits": {"name": secret}}
            await client.post("/v1/identify", json=event, headers=head)
            found.append((await client.delete(f"/v1/privacy/of-{side}?reason=r1", headers=head)).json()["notes"])
        return found

    bound, whole = dealer.run(journey)
    assert not any(name in note for note in bound for name in ("plan.csv", ".nba", ".env", str(tmp_path)))
    assert [note.partition(" ")[0] for note in whole] == ["plan.csv"] and str(tmp_path) not in whole[0]


@pytest.mark.parametrize("contact", ["crm:north", "eve"])
def test_a_bound_key_cannot_say_by_a_correction_whose_contact_somebody_is(dealer, contact):
    async def correct(client, side, **values):
        body, place = {"set": values, "reason": "r1"}, f"/v1/privacy/{contact}/correct"
        return await client.post(place, json=body, headers=dealer.bearer(side))

    async def journey(client):
        await client.post("/v1/identify", json={"userId": "eve", "traits": {}}, headers=dealer.bearer("north"))
        for values in ({"account": "gamma"}, {"partner": "south"}, {"owner": "jane"}):
            refused = await correct(client, "north", country="CH", **values)
            assert refused.status_code == 422, refused.text
            (error,) = refused.json()["errors"]
            (name,) = values
            assert error["place"] == f"/{name}" and f"leave {name} out" in error["message"]
        with dealer.store as store:
            assert not any(row.body.get("country") == "CH" for row in store.contact_rows())
            assert not any(row.what == "correction" for row in store.audit_rows())
        assert (await correct(client, "north", partner="north", country="CH")).json()["now"]["country"] == "CH"
        assert (await correct(client, "north", account="gamma@partner:north")).status_code == 200
        assert (await client.get("/v1/accounts/gamma", headers=dealer.bearer("north"))).status_code == 404
        if contact == "crm:north":
            assert (await correct(client, "full", account="gamma", partner="south")).status_code == 200

    dealer.run(journey)


def test_a_bound_key_does_not_hold_a_contact_that_is_known_to_leave(dealer):
    async def journey(client):
        with dealer.store as store, store.writing() as writing:
            writing.contacts([ContactRow("crm:north", 2**61, {"partner": "south"})])
        body = {"set": {"partner": "north"}, "reason": "r1"}
        answer = await client.post("/v1/privacy/crm:north/correct", json=body, headers=dealer.bearer("north"))
        assert answer.status_code == 422

    dealer.run(journey)
