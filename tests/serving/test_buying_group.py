from dataclasses import replace

import pytest

from features.rows.row_types import ContactRow, RecordRow
from nba.partners.visibility import Viewer
from serving.caller import THIS_MACHINE

CAPS = """
[contact_policy]
timezone = "UTC"
caps = [
  { channel = "email", per = "7d", count = 4, account = true },
  { channel = "email", per = "7d", count = 1 },
]
[partners]
visible_to_owner = "contact"
"""


async def fill(local, client, of, account="acme"):
    visits = [local.touchpoint(f"v-{name}", days=3, contact=name, topics=["pumps"]) for name in of]
    mails = [local.touchpoint(f"m-{name}", "newsletter", 2, name, channel="email", direction="outbound") for name in of]
    await client.post("/v1/touchpoints", json=visits + mails)
    with local.service.store.writing() as writing:
        bodies = [(name, {"account": account, "name": f"Dr {name}", **traits}) for name, traits in of.items()]
        writing.contacts([RecordRow(name, 1, body) for name, body in bodies])


def looked_at(local, monkeypatch, of, viewer=None, account="acme"):
    async def journey(client):
        await fill(local, client, of)
        if viewer is not None:
            caller = replace(THIS_MACHINE, viewer=viewer)
            monkeypatch.setattr("serving.api.accounts.caller_of", lambda request: caller)
        return await client.get(f"/v1/accounts/{account}")

    return local.run(journey)


def test_a_buying_group_shows_who_is_in_it_and_what_they_are_about(local_with, monkeypatch):
    local = local_with(CAPS)
    found = looked_at(local, monkeypatch, {"ann": {"role": "user"}, "bob": {"role": "purchasing"}}).json()
    assert [(each["contact_id"], each["name"], each["role"]) for each in found["members"]] == [
        ("ann", "Dr ann", "user"),
        ("bob", "Dr bob", "purchasing"),
    ]
    assert found["members"][0]["touchpoints_90d"] == 1 and found["members"][0]["last_touchpoint"] == "newsletter"
    assert (found["roles"], found["missing_roles"]) == (["purchasing", "user"], ["decision_maker"])
    # Two contacts, each interested by one visit three days ago, with a half-life of thirty days.
    assert found["interests"] == [{"topic": "pumps", "strength": pytest.approx(2 * 0.5**0.1, abs=2e-3), "contacts": 2}]
    assert found["approaches"] == {"email": 2}
    assert found["caps"] == [{"channel": "email", "per": "7d", "count": 4, "left": 2}]
    assert found["others"] is None and found["too_large"] is False


def test_a_contact_that_has_left_is_no_member(local_with, monkeypatch):
    local = local_with(CAPS)

    async def journey(client):
        await fill(local, client, {"ann": {}, "bob": {}})
        with local.service.store.writing() as writing:
            writing.contacts([RecordRow("bob", 2, {"account": "other"})])
        return (await client.get("/v1/accounts/acme")).json()

    assert [each["contact_id"] for each in local.run(journey)["members"]] == ["ann"]


MINE, THEIRS = {"partner": "north"}, {"partner": "south"}


@pytest.mark.parametrize(
    ("viewer", "of", "seen"),
    [
        (Viewer(partner="north"), {"a": MINE, "b": THEIRS, "c": {}}, ["a"]),
        (Viewer(partner="north"), {"b": THEIRS, "c": {}}, None),
        (Viewer(owner="jane"), {"a": {"owner": "jane"}, "b": {}}, ["a"]),
        (Viewer(owner="jane"), {"b": {}}, None),
    ],
    ids=str,
)
def test_a_bound_key_sees_its_own_members_and_nothing_of_others(local_with, monkeypatch, viewer, of, seen):
    answer = looked_at(local_with(CAPS), monkeypatch, of, viewer)
    unknown = looked_at(local_with(CAPS), monkeypatch, of, viewer, "nobody-has-it")
    if seen is None:
        assert (answer.status_code, unknown.status_code) == (404, 404)
        hidden = [{**each.json(), "instance": ""} for each in (answer, unknown)]
        assert hidden[0] == hidden[1]
    else:
        found = answer.json()
        assert [each["contact_id"] for each in found["members"]] == seen
        assert found["others"] is None and found["approaches"] == {"email": 1}
        assert found["interests"][0]["contacts"] == 1


@pytest.mark.parametrize(("hidden", "others"), [(0, None), (4, None), (5, 5)])
def test_members_that_partners_keep_are_counted_only_where_they_are_enough(local_with, monkeypatch, hidden, others):
    local = local_with('[partners]\nvisible_to_owner = "aggregate"\n')
    of: dict[str, dict[str, str]] = {"own": {}} | {f"p{n}": MINE for n in range(hidden)}
    found = looked_at(local, monkeypatch, of).json()
    assert [each["contact_id"] for each in found["members"]] == ["own"]
    assert found["others"] == others


def test_what_no_account_can_be_called_is_not_found(local):
    async def journey(client):
        paths = ("nobody", "%00", "x" * 501, "a%0ab")
        return [(await client.get(f"/v1/accounts/{path}")).status_code for path in paths]

    assert local.run(journey) == [404] * 4


@pytest.mark.parametrize("n", [1, 3, 90, 250], ids="of {} each".format)
def test_an_account_it_must_not_know_of_is_looked_for_like_one_that_nobody_has(local_with, monkeypatch, n):
    local = local_with(CAPS)
    asked: list[str] = []
    monkeypatch.setattr(
        "serving.api.accounts.caller_of", lambda request: replace(THIS_MACHINE, viewer=Viewer(partner="north"))
    )

    async def reads(client, account):
        asked.clear()
        answer = await client.get(f"/v1/accounts/{account}")
        return answer.status_code, answer.json()["detail"], sorted(asked)

    async def journey(client):
        store = local.service.store
        with store.writing() as writing:
            writing.contacts(
                [
                    ContactRow(f"crm:{name}:{i}", 1, {"account": name, "partner": "south"})
                    for name in ("b-first", "m-middle", "x-last")
                    for i in range(n)
                ]
            )
        read = store._all

        def spied(statement, parameters=()):
            asked.append(str(getattr(statement, "text", lambda dialect: statement)(store._dialect)))
            return read(statement, parameters)

        monkeypatch.setattr(store, "_all", spied)
        nobody = await reads(client, "m-middlf")
        assert nobody[0] == 404 and len(nobody[2]) > min(3 * n, 200)
        for name in ("b-first", "m-middle", "x-last", "a", "zz"):
            assert await reads(client, name) == nobody

    local.run(journey)
