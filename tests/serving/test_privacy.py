"""A person's rights over HTTP: what is erased is nowhere any more, and what is sent again is refused."""

import asyncio
import logging
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from features.loading.loading import load_files
from features.rows.row_types import DecisionRow, OutcomeRow, RecordRow, ScoreRow, TouchpointRow
from features.store.audit import check
from features.store.store import Store
from features.times import DAY
from nba.contact_traits import traits_of
from nba.privacy.erasure import erase
from nba.privacy.person import person_of
from serving.deed import Deed, key_of
from serving.deeds import Arrive, Decide, Learn
from serving.intake.native import read_touchpoints
from serving.journal.journal import FOLDER, Entry, Journal
from tests.serving.conftest import NOW
from tests.serving.planted import (
    CONTACT,
    COOKIE,
    CRM,
    DEVICE,
    EMAIL,
    MAIL,
    NAME,
    OTHER_COOKIE,
    PLANTED,
    Planted,
    left_of,
)


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    return Planted(tmp_path, f"sqlite:///{tmp_path / 'nba.db'}")


def test_after_an_erasure_no_byte_of_the_person_is_left_and_what_is_sent_again_is_refused(
    tmp_path: Path, store_url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    planted = Planted(tmp_path, store_url)
    caplog.set_level(logging.DEBUG)

    async def journey(client):
        await planted.live(client)
        head = planted.head()
        export = (await client.get(f"{CONTACT}/export", headers=head)).json()
        before = left_of(planted)
        caplog.clear()
        capfd.readouterr()
        gone = await client.delete(CONTACT, params={"reason": "asked by letter"}, headers=head)
        after = left_of(planted)
        again = (await client.post("/v1/touchpoints", json=planted.events(100), headers=head)).json()
        late = {"decision_id": PLANTED[13], "outcome": "accepted", "note": NAME}
        feedback = await client.post("/v1/feedback", json=late, headers=head)
        asked = await client.post("/v1/recommend", json={"contact": CRM, "decision_id": PLANTED[13]}, headers=head)
        identify = {"userId": CRM, "anonymousId": COOKIE, "messageId": "m", "traits": {"name": NAME}}
        await client.post("/v1/identify", json=identify, headers=head)
        broken = b'[{"identity": "' + CRM.encode() + b'", "kind": NaN}]'
        await client.post("/v1/touchpoints", content=broken, headers=head)
        return export, before, gone, after, again, feedback, asked

    export, before, gone, after, again, feedback, asked = planted.run(journey)
    # What the test plants is really there, so that a search that finds nothing means something.
    assert set(before) == set(PLANTED)
    assert set(export["identities"]) == {CRM, EMAIL, COOKIE, OTHER_COOKIE, DEVICE}
    assert gone.status_code == 200
    assert gone.json()["removed"]["touchpoints"] >= 20
    assert after == []
    assert again["stored"] == 0 and again["quarantined"] == 100
    assert feedback.status_code == 422
    assert asked.json()["do_nothing"] is True and asked.json()["recommendations"] == []
    assert left_of(planted) == []
    said = caplog.text + "".join(capfd.readouterr())
    assert [word for word in PLANTED if word in said and word != CRM] == []
    with Store.open(planted.url) as store:
        assert check(store.audit_rows()).fault is None
        assert [row.what for row in store.audit_rows()][-2:] == ["erasure begun", "erasure"]
        assert store.has_touchpoints("crm:2") and store.traits("crm:2", NOW)["name"] == "Eva"
        kept = {row.identity: row for row in store.decision_rows()}
        assert "crm:2" in kept and kept["crm:2"].decision_id == "d2"
        (pseudonym,) = [row for name, row in kept.items() if name != "crm:2"]
        assert pseudonym.identity.startswith("erased:") and pseudonym.chances and pseudonym.answer is None
        numbers = load_again(planted, store)
    assert numbers == (0, 5)


def load_again(planted: Planted, store: Store) -> tuple[int, int]:
    """Load a file about the person; say how many rows were stored and how many refused."""
    path = planted.folder / "again.csv"
    names = (CRM, EMAIL, COOKIE, OTHER_COOKIE, DEVICE)
    path.write_text("identity,occurred_at,kind\n" + "".join(f"{name},2025-05-01,visit\n" for name in names))
    report = load_files(store, "touchpoints", [path], now_us=NOW, rules=planted.settings.touchpoints)
    path.unlink()
    assert left_of(planted) == []
    return report.stored, report.quarantined


def test_an_export_tells_everything_and_why(planted: Planted) -> None:
    async def journey(client):
        await planted.live(client)
        return (await client.get("/v1/privacy/cookie:plant-9f2c/export", headers=planted.head())).json()

    found = planted.run(journey)
    text = orjson.dumps(found).decode()
    missing = [word for word in PLANTED if word not in text]
    assert missing == []
    assert found["contact_id"] == CRM
    assert found["consents"]["words"][0]["proof"] == {"text_version": "v3"}
    assert found["traits"]["history"][0]["known_since"] == "1970-01-01T00:00:00Z"
    (decision,) = found["decisions"]
    assert "was drawn" in decision["in_words"] and sum(decision["chances"].values()) == pytest.approx(1.0)
    assert "Eva" not in text


def test_who_is_restricted_gets_no_recommendation_until_it_is_lifted(planted: Planted) -> None:
    async def journey(client):
        await planted.live(client)
        head, found = planted.head(), []
        for body in ({"reason": "disputed"}, {"reason": "settled", "lift": True}):
            done = await client.post(f"{CONTACT}/restrict", json=body, headers=head)
            assert done.json() == {"success": True, "restricted": "lift" not in body}
            asked = {"contact": EMAIL, "explain": True}
            found.append((await client.post("/v1/recommend", json=asked, headers=head)).json())
        return found

    restricted, lifted = planted.run(journey)
    assert restricted["mode"] == "default" and restricted["do_nothing"] and restricted["points"]["total"] == 0
    assert {each["rule"] for each in restricted["removed"]} == {"consent"}
    assert lifted["mode"] != "default"


def test_a_correction_holds_from_now_and_what_was_known_stays(planted: Planted) -> None:
    async def journey(client):
        body = {"reason": "told us", "set": {"street": "Neugasse 1", "size": 4}}
        found = await client.post(f"{CONTACT}/correct", json=body, headers=planted.head())
        wrong = {"reason": "told us", "set": {"timezone": "Mars/Base"}}
        refused = await client.post(f"{CONTACT}/correct", json=wrong, headers=planted.head())
        return found.json(), refused.status_code

    found, status = planted.run(journey)
    assert found["before"] == {"street": "plantstreet 12", "size": None} and found["now"]["size"] == 4
    assert status == 422
    with Store.open(planted.url) as store:
        assert store.traits(CRM, planted.now + 1)["street"] == "Neugasse 1"
        assert store.traits(CRM, NOW)["street"] == "plantstreet 12"


def test_a_correction_holds_from_now_on_against_what_is_known_for_later(planted: Planted) -> None:
    async def journey(client):
        with Store.open(planted.url) as store, store.writing() as writing:
            later = {"country": "DE", "street": "Hafenweg 2", "size": 9}
            writing.contacts([RecordRow(EMAIL, planted.now + DAY, later), RecordRow(CRM, planted.now, {"size": 3})])
        body = {"reason": "told us", "set": {"country": "CH", "size": 4}}
        await client.post(f"{CONTACT}/correct", json=body, headers=planted.head())
        return (await client.get(f"{CONTACT}/export", headers=planted.head())).json()["traits"]["now"]

    now = planted.run(journey)
    assert (now["country"], now["size"], now["street"]) == ("CH", 4, "Hafenweg 2")
    with Store.open(planted.url) as store:
        for at in (planted.now + 1, planted.now + DAY // 2):
            held = traits_of(store, [CRM, EMAIL], at)
            assert (held["country"], held["size"], held["street"]) == ("CH", 4, "plantstreet 12")


@pytest.mark.parametrize(
    ("method", "place", "body"),
    [("POST", "/correct", {"set": {"country": "CH"}}), ("POST", "/restrict", {}), ("DELETE", "", None)],
)
def test_what_is_remembered_of_a_person_is_forgotten_with_every_act(
    planted: Planted, monkeypatch: pytest.MonkeyPatch, method: str, place: str, body: dict[str, Any] | None
) -> None:
    # What others did is looked for now and then: here nobody looks.
    monkeypatch.setattr("serving.acts.LOOK_SECONDS", 3600.0)

    async def journey(client):
        await client.post("/v1/recommend", json={"contact": CRM}, headers=planted.head())
        before, query = planted.service.recent.names, {"reason": "r1"}
        sent = None if body is None else {**body, **query}
        params = query if body is None else None
        done = await client.request(method, f"{CONTACT}{place}", json=sent, params=params, headers=planted.head())
        assert done.status_code == 200
        return before, planted.service.recent.names

    before, after = planted.run(journey)
    assert {CRM, EMAIL, COOKIE} <= before and after.isdisjoint({CRM, EMAIL, COOKIE})


def test_who_was_erased_cannot_be_corrected_or_restricted(planted: Planted) -> None:
    async def journey(client):
        head, found = planted.head(), []
        await client.delete(CONTACT, params={"reason": "asked"}, headers=head)
        for place, body in (("correct", {"set": {"country": "CH"}}), ("restrict", {}), ("restrict", {"lift": True})):
            found.append(await client.post(f"{CONTACT}/{place}", json={**body, "reason": "r1"}, headers=head))
        return [(each.status_code, each.json()["code"]) for each in found]

    assert planted.run(journey) == [(409, "erased")] * 3
    with Store.open(planted.url) as store:
        assert [row.what for row in store.audit_rows()][-1] == "erasure"


def test_for_a_foreign_partner_the_person_does_not_exist(planted: Planted) -> None:
    async def journey(client):
        found = []
        for contact in ("crm:plant-4711", "crm:nobody"):
            place, head = f"/v1/privacy/{contact}", planted.head(planted.north)
            why = {"reason": "none"}
            answers = [
                await client.get(f"{place}/export", headers=head),
                await client.delete(place, params=why, headers=head),
                await client.post(f"{place}/restrict", json=why, headers=head),
                await client.post(f"{place}/correct", json={**why, "set": {"a": 1}}, headers=head),
            ]
            found.append([(each.status_code, each.json()["detail"]) for each in answers])
        return found

    seen, unknown = planted.run(journey)
    assert seen == unknown and {status for status, _ in seen} == {404}
    with Store.open(planted.url) as store:
        assert store.traits(CRM, NOW)["name"] == NAME


_IMPROPER = (
    ("DELETE", "", None),
    ("DELETE", "?reason=asked%20by%20Maximilian%20Planthuber", None),
    ("DELETE", "?reason=a&force=yes", None),
    ("POST", "/restrict", {"lift": True}),
    ("POST", "/restrict", {"reason": "a", "lft": True}),
    ("POST", "/restrict", {"reason": "a", "lift": "yes"}),
    ("POST", "/restrict", ["reason"]),
    ("POST", "/correct", {"reason": "a"}),
    ("POST", "/correct", {"reason": "a", "set": {"identity": "crm:2"}}),
    ("POST", "/correct", {"reason": "a", "set": {"street": ""}}),
    ("POST", "/correct", {"reason": f"asked by {MAIL}", "set": {"street": "x"}}),
)


def test_what_is_not_asked_properly_changes_nothing(planted: Planted) -> None:
    async def journey(client):
        head = planted.head()
        return [
            (await client.request(method, f"{CONTACT}{place}", json=body, headers=head)).status_code
            for method, place, body in _IMPROPER
        ]

    assert planted.run(journey) == [422] * len(_IMPROPER)
    with Store.open(planted.url) as store:
        assert {row.what for row in store.audit_rows()} == {"key added"}


@pytest.mark.parametrize("query", ["", "?reason=", "?reason=%20", "?reason=a%01"])
def test_an_erasure_without_a_reason_is_told_to_say_why(planted: Planted, query: str) -> None:
    async def journey(client):
        return (await client.delete(f"{CONTACT}{query}", headers=planted.head())).json()["errors"]

    (error,) = planted.run(journey)
    assert error["place"] == "query reason" and error["message"].endswith("; say why, without the person's name")


def test_a_restriction_cannot_be_lifted_by_whoever_may_send_touchpoints(planted: Planted) -> None:
    async def journey(client):
        head = planted.head()
        with Store.open(planted.url) as store:
            store.save_scores([ScoreRow(name, NOW, "use", 5.0, {}, "1") for name in (CRM, "crm:2")])
        await client.post(f"{CONTACT}/restrict", json={"reason": "disputed"}, headers=head)
        sent = await client.post("/v1/touchpoints", json=planted.touchpoint("u", "unrestricted", 0, CRM), headers=head)
        return sent, (await client.post("/v1/recommend", json={"contact": CRM}, headers=head)).json()

    sent, decided = planted.run(journey)
    assert sent.status_code == 400 and decided["mode"] == "default"
    with Store.open(planted.url) as store:
        assert [row.contact_id for row in store.score_rows()] == ["crm:2"]


def test_what_the_journal_kept_of_somebody_erased_since_is_stored_nowhere(planted: Planted) -> None:
    with Store.open(planted.url) as store:
        with store.writing() as writing:
            writing.decisions([DecisionRow(PLANTED[13], CRM, NOW, "sales_call", 1.0)])
        person = person_of(store, CRM, planted.settings.touchpoints)
        erase(store, person, reason="asked", by="test", now=NOW, folder=planted.folder)
    settings = planted.settings
    rows = [planted.touchpoint("j1", contact=CRM, memo=NAME), planted.touchpoint("j2", contact="crm:2")]
    delivery = read_touchpoints(orjson.dumps(rows), now_us=NOW, rules=settings.touchpoints, is_public=False)
    deeds: list[Deed[Any]] = [
        Arrive(delivery, settings, NOW, "POST /v1/touchpoints", is_public=False),
        Decide(DecisionRow("j3", EMAIL, NOW, "sales_call", answer=NAME.encode()), settings),
        Learn(OutcomeRow("j4", PLANTED[13], "rejected", NOW, NOW, note=NAME), settings),
    ]
    journal = Journal(planted.folder / FOLDER, key_of)
    journal.append([Entry(deed.record(), deed.key) for deed in deeds])
    journal.close()
    assert CRM in left_of(planted)

    async def journey(client):
        for _ in range(200):
            await asyncio.sleep(0.02)
            if not list((planted.folder / FOLDER).glob("*")):
                return

    planted.run(journey)
    assert left_of(planted) == [] and not list((planted.folder / FOLDER).glob("*"))
    with Store.open(planted.url) as store:
        assert [row[2] for row in store.history("crm:2", NOW)] == ["j2"]


@pytest.mark.parametrize(
    "name", ["crm:" + "y" * 600, "crm:a\tb", "crm:a\nb", "x/export", "x/restrict", "x/export/correct"]
)
def test_whoever_is_stored_can_be_erased_whatever_it_is_called(planted: Planted, name: str) -> None:
    async def journey(client):
        with planted.service.store.writing() as writing:
            writing.touchpoints([TouchpointRow(name, planted.now - 1, "t", "visit")])
        path, head = f"/v1/privacy/{quote(name, safe='')}", planted.head()
        seen = await client.get(f"{path}/export", headers=head)
        restricted = await client.post(f"{path}/restrict", json={"reason": "asked"}, headers=head)
        return [seen, restricted, await client.delete(path, params={"reason": "asked"}, headers=head)]

    seen, restricted, gone = planted.run(journey)
    assert (seen.status_code, restricted.status_code, gone.status_code) == (200, 200, 200)
    assert seen.json()["identities"] == [name] and gone.json()["removed"]["touchpoints"] == 2


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_method_that_the_longer_path_does_not_know_is_told_what_it_knows(planted: Planted, method: str) -> None:
    async def journey(client):
        with planted.service.store.writing() as writing:
            writing.touchpoints([TouchpointRow("x/export", planted.now - 1, "t", "visit")])
        # Only with its slash written %2F is it somebody's name.
        return await client.request(method, "/v1/privacy/x/export?reason=asked", headers=planted.head())

    answer = planted.run(journey)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
