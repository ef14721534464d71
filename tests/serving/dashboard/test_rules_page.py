"""Rules: a change is drafted, compared, published with a reason and taken back; nobody bound sees anything of it."""

from __future__ import annotations

import asyncio
import os
import re
import time
from contextlib import suppress

import httpx
import orjson
import pytest

from features.rows.row_types import FigureRow, KeyRow, SettingsVersion
from features.store.figures import store_figures
from features.store.keys import store_key
from features.store.published import newest_settings, publish_settings, settings_versions
from features.store.store import Store
from serving import comparing
from serving.app import create_app
from serving.dashboard import rules
from serving.keys import digest_of
from tests.serving.conftest import SETTINGS, Local
from tests.serving.dashboard.page_text import only, seal_in
from tests.serving.dashboard.test_signing_in import signed_in, with_key

ALL = ("read", "recommend", "feedback", "ingest", "admin")
OTHER = "nba_" + "o" * 43
FIGURES = {
    "as_of": "2025-11-24T16:00:00Z",
    "goal": "conversion",
    "version": 0,
    "scored_at": "2025-11-24T02:00:00Z",
    "looked_at": ["2025-10-20T00:00:00Z", "2025-10-20T00:00:00Z"],
    "everybody": {},
    "thresholds": [
        {
            "from": bounds[0],
            "below": bounds[1],
            "actions": [],
            "now": {"contacts": 1234, "chance": 0.125},
            "before": {"contacts": 1100, "reached": 99, "share": 0.09, "interval": [0.075, 0.108]},
        }
        for bounds in ((None, 250), (250, None))
    ],
    "ladder": [],
}


@pytest.fixture(autouse=True)
def nothing_beside(monkeypatch):
    """What is counted anew after a publication is counted elsewhere."""

    async def nothing(config, *command, **files):
        return 0

    monkeypatch.setattr(rules, "nba_beside", nothing)


@pytest.fixture
def entered(local):
    return _entered(local)


@pytest.fixture
def entered_in_each(tmp_path, store_url):
    """The same in SQLite and in PostgreSQL."""
    return _entered(Local(tmp_path, f'{SETTINGS}\n[store]\nurl = "{store_url}"\n'))


def _entered(local):
    with_key(local, scopes=ALL)
    with Store.open(local.settings.store.url) as store, store.writing() as writing:
        store_figures(writing, [FigureRow("thresholds", local.now - 1, FIGURES)])
        row = KeyRow("id-ben", "ben", digest_of(OTHER), ("read", "feedback"), None, None, False, (), None, 0)
        store_key(writing, row)
    return local


async def page(client, path="/rules", **more):
    found = await client.get(path, **more)
    assert found.status_code == 200, found.text
    return found.text


async def told(client, path, seal=None, **fields):
    seal = seal or seal_in((await client.get("/rules")).text)
    return await client.post(path, data={"seal": seal, **fields}, follow_redirects=False)


def test_a_change_is_drafted_published_and_undone(entered_in_each):
    entered = entered_in_each

    async def journey(client):
        await signed_in(client)
        first = await page(client)
        fields = {"section": "thresholds", "points.thresholds[1].below": "400", "points.thresholds[2].from": "400"}
        kept = await told(client, "/rules/edit", **fields)
        drafted, before = await page(client), entered.service.settings.points.thresholds
        without = await told(client, "/rules/publish", on="0", reason=" ")
        published = await told(client, "/rules/publish", on="0", reason="Too many  calls")
        after = entered.service.settings.points.thresholds
        shown = await page(client)
        undone = await told(client, "/rules/undo", on="1", number="1", reason="")
        return first, kept, drafted, before, without, published, after, shown, undone, await page(client)

    found = entered.run(journey)
    first, kept, drafted, before, without, published, after, shown, undone, last = found
    assert "1,234" in first and "12.5%" in first and "9.0%" in first and "7.5% – 10.8%" in first
    assert kept.headers["location"] == "/rules#draft" and "points.thresholds[1].below" in drafted
    assert [each.below for each in before] == [250, None] and [each.below for each in after] == [400, None]
    assert without.status_code == 422 and "Say why" in without.text
    assert (published.status_code, undone.status_code) == (303, 303)
    assert "Too many calls" in shown and "ann" in shown and 'id="draft"' not in shown
    assert [each.below for each in entered.settings.points.thresholds] == [250, None]
    assert "undoes version 1" in last and "Back to before version 1" in last
    with Store.open(entered.settings.store.url) as store:
        versions = settings_versions(store)
        entries = [(row.what, row.by, row.reason) for row in store.audit_rows()]
    assert [(row.number, row.undoes, dict(row.changes) == {}) for row in versions] == [(1, None, False), (2, 1, True)]
    assert entries == [
        ("settings published", "ann", "Too many calls"),
        ("settings undone", "ann", "Back to before version 1"),
    ]


def test_what_the_settings_refuse_is_told_beside_the_field_and_not_kept(entered):
    async def journey(client):
        await signed_in(client)
        wrong = await told(
            client, "/rules/edit", **{"section": "points", "points.kinds.visit": "many", "points.half_life": "x"}
        )
        capped = await told(
            client, "/rules/edit", **{"section": "choice", "ranking.epsilon": "7", "ranking.holdout": "0,5"}
        )
        other = [
            await told(client, "/rules/set", key=key, value=value)
            for key, value in (
                ("store.url", "'sqlite:///x'"),
                ("plan.budgget", "5"),
                ("plan.budget", "[1"),
                ("a..b", "1"),
            )
        ]
        return wrong, capped, other, await page(client)

    wrong, capped, other, last = entered.run(journey)
    for found in (wrong, capped, *other):
        assert found.status_code == 422
    assert re.search(
        r'value="many"[^>]*aria-invalid="true".{0,300}points.kinds.visit: &#34;many&#34; is not a number',
        wrong.text,
        re.S,
    )
    assert "points.half_life: " in wrong.text
    assert re.search(r'value="7"[^>]*aria-invalid.{0,200}ranking.epsilon', capped.text, re.S)
    assert (
        'value="0,5"' in capped.text
        and "is not published" in other[0].text
        and "did you mean `budget`?" in other[1].text
    )
    assert 'id="draft"' not in last


def test_an_empty_field_leaves_the_key_out_and_usual_kinds_are_written_out_with_the_first_change(tmp_path):
    plain = re.sub(r"kinds = \{ visit.*\n", "", SETTINGS)
    local = with_key(Local(tmp_path, plain), scopes=ALL)

    async def journey(client):
        await signed_in(client)
        await told(
            client, "/rules/edit", **{"section": "points", "points.kinds.visit": "7,5", "points.kinds.download": ""}
        )
        await told(client, "/rules/set", key="plan.budget", value="50")
        await told(client, "/rules/publish", on="0", reason="r")
        settings = local.service.settings
        await told(client, "/rules/edit", **{"section": "limits", "plan.budget": ""})
        await told(client, "/rules/publish", on="1", reason="r")
        return settings, local.service.settings

    one, two = local.run(journey)
    assert (
        "download" not in one.points.kinds
        and one.points.kinds["visit"] == 7.5
        and one.points.kinds["service_call"] == 250
    )
    assert (one.plan.budget, two.plan.budget) == (50.0, None) and two.points == one.points


def test_who_publishes_second_is_told_and_sees_both(entered_in_each):
    entered = entered_in_each

    async def journey(client):
        await signed_in(client)
        await told(client, "/rules/set", key="plan.budget", value="50")
        with entered.service.store.writing() as writing:
            publish_settings(
                writing, SettingsVersion(1, 5, "ben", "first", {"plan.budget": 70, "ranking.epsilon": 0.1})
            )
        seal = seal_in(await page(client, "/sign-in"))
        late = await told(client, "/rules/publish", seal=seal, on="0", reason="mine")
        version = newest_settings(entered.service.store)
        again = await told(client, "/rules/publish", on="1", reason="mine")
        return late, version, again, entered.service.settings

    late, version, again, settings = entered.run(journey)
    assert late.status_code == 409 and version.number == 1
    assert "Somebody else has published" in late.text and "ben" in late.text and "first" in late.text
    assert ">70<" in late.text.replace("<strong>", "").replace("</strong>", "") and "50" in late.text
    assert again.status_code == 303 and (settings.plan.budget, settings.ranking.epsilon) == (50.0, 0.1)


def test_another_worker_takes_up_what_this_one_published_before_it_shows_or_writes(entered_in_each):
    entered = entered_in_each

    async def journey(client):
        await signed_in(client)
        other = create_app(entered.settings, clock=entered._clock, worker=1)
        async with other.router.lifespan_context(other):
            transport = httpx.ASGITransport(app=other)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as second:
                second.cookies = client.cookies
                await told(client, "/rules/set", key="plan.budget", value="50")
                await told(client, "/rules/publish", on="0", reason="r")
                await told(second, "/rules/set", key="ranking.epsilon", value="0.5")
                await told(second, "/rules/publish", on="1", reason="r")
                await page(client)
                return [app.state.service.settings for app in (entered.app, other)]

    for settings in entered.run(journey):
        assert (settings.plan.budget, settings.ranking.epsilon, settings.source.number) == (50.0, 0.5, 2)


def test_reading_is_for_unbound_keys_and_publishing_for_admins(entered):
    async def journey(client):
        await signed_in(client, OTHER)
        await told(client, "/rules/set", key="plan.budget", value="50")
        drafted = await page(client)
        refused = [await told(client, f"/rules/{what}", on="0", number="1", reason="r") for what in ("publish", "undo")]
        unsealed = await client.post("/rules/set", data={"seal": "0" * 64, "key": "plan.budget", "value": "1"})
        return drafted, [each.status_code for each in refused], unsealed.status_code

    drafted, refused, unsealed = entered.run(journey)
    assert "scope admin" in drafted and "/rules/publish" not in drafted and (refused, unsealed) == ([403, 403], 403)


@pytest.mark.parametrize("bound", [{"partner": "north"}, {"owner": "jane"}])
def test_bound_keys_see_nothing_of_it(local, bound):
    async def journey(client):
        await signed_in(client)
        menu = await page(client, "/today")
        found = [
            await client.get(path) for path in ("/rules", "/rules/comparison", "/rules/changed.csv?of=" + "a" * 24)
        ]
        posted = [
            await client.post(f"/rules/{what}", data={"seal": seal_in(menu)})
            for what in ("edit", "set", "drop", "compare", "publish", "undo")
        ]
        return menu, [each.status_code for each in (*found, *posted)]

    menu, statuses = with_key(local, scopes=("read", "recommend", "feedback", "ingest"), **bound).run(journey)
    assert 'href="/rules"' not in menu and set(statuses) == {403}


REPORT = {
    "from": "2025-10-25T00:00:00Z",
    "to": "2025-11-24T00:00:00Z",
    "moments": ["2025-11-01T11:00:00Z"],
    "contacts": 1500,
    "changed": {"contacts": 77, "gain": 11, "lose": 60, "get_another": 6, "mixed": 0},
    "moves": [{"from": "sales_call", "to": "do_nothing", "contacts": 60, "recommendations": 60}],
    "actions": {"sales_call": {"channel": "phone", "before": 9, "after": 3, "contacts": {"before": 99, "after": 39}}},
    "channels": {"phone": {"before": 9, "after": 3, "contacts": {"before": 99, "after": 39}}},
    "expected": {"goal": "conversion", "before": 10.5, "after": 9.5},
    "kept_by_partners": None,
    "list": [{"contact_id": "crm:1"}],
}


def test_the_comparison_is_that_of_whatif_and_is_made_beside_the_service(entered, monkeypatch):
    calls, ends = [], asyncio.Event()

    async def beside(config, *command, result, said):
        calls.append(command)
        said.write(b"recommendations compared: 1,234\n")
        said.flush()
        await ends.wait()
        result.write(orjson.dumps(REPORT))
        (entered.settings.folder / command[command.index("--out") + 1]).write_text("contact_id\ncrm:1\n")
        return 0

    monkeypatch.setattr(comparing, "nba_beside", beside)

    async def journey(client):
        await signed_in(client)
        await told(client, "/rules/set", key="plan.budget", value="50")
        begun = await told(client, "/rules/compare")
        await asyncio.sleep(0)
        underway = await page(client)
        await told(client, "/rules/set", key="plan.budget", value="60")
        busy = await told(client, "/rules/compare")
        await told(client, "/rules/set", key="plan.budget", value="50")
        ends.set()
        while comparing._underway:
            await asyncio.sleep(0.01)
        part = await page(client, "/rules/comparison", headers={"hx-request": "true"})
        done = await page(client)
        file = await client.get(only(r'href="(/rules/changed[^"]*)"', done))
        wrong = await client.get("/rules/changed.csv?of=../../nba")
        german = await page(client, headers={"accept-language": "de"})
        return begun, underway, busy, part, done, file, wrong, german

    begun, underway, busy, part, done, file, wrong, german = entered.run(journey)
    assert begun.headers["location"] == "/rules#compared" and "busy=1" in busy.headers["location"]
    [command] = calls
    assert command[:3] == ("whatif", "--set", "plan.budget=50") and "--as-of" in command
    assert 'http-equiv="refresh"' in underway and 'hx-trigger="every 3s"' in underway and "1,234" in underway
    assert "<html" not in part and ">77<" in part and ">77<" in done and ">60<" in done and "refresh" not in done
    assert file.text == "contact_id\ncrm:1\n" and "attachment" in file.headers["content-disposition"]
    assert wrong.status_code == 404 and "bekommen nichts mehr" in german and "−1,0" in german


def test_a_comparison_that_fails_says_why(entered, monkeypatch):
    async def beside(config, *command, result, said):
        said.write(b"the store holds no contacts <before>\n")
        return 1

    monkeypatch.setattr(comparing, "nba_beside", beside)

    async def journey(client):
        await signed_in(client)
        await told(client, "/rules/set", key="plan.budget", value="50")
        await told(client, "/rules/compare")
        while comparing._underway:
            await asyncio.sleep(0.01)
        return await page(client)

    shown = entered.run(journey)
    assert "no contacts &lt;before&gt;" in shown and "What would change?" in shown


def test_without_keys_everything_is_shown_and_nothing_can_be_changed(local):
    async def journey(client):
        shown = await page(client)
        return shown, (await client.post("/rules/set", data={"key": "plan.budget", "value": "1"})).status_code

    shown, status = local.run(journey)
    assert "<form" not in shown.replace('<form method="post" action="/rules/edit">', "") and "readonly" in shown
    assert "nba points check --keep" in shown and status == 403


def test_what_is_left_aside_is_told_on_the_page_as_text(entered):
    with Store.open(entered.settings.store.url) as store, store.writing() as writing:
        changes = {"actions.gone.cost": 3, "ranking.levers.<b>": 5}
        publish_settings(writing, SettingsVersion(1, 1, "<i>ann", "<script>alert(1)</script>", changes))

    async def journey(client):
        await signed_in(client)
        return await page(client)

    shown = entered.run(journey)
    assert "does not fit the settings file" in shown and "actions.gone.channel" in shown
    assert "<script>alert" not in shown and "<i>ann" not in shown and "<b>" not in shown


def test_what_a_comparison_found_is_gone_after_a_day(tmp_path):
    room = tmp_path / comparing.FOLDER
    room.mkdir()
    for name, age in (("old.csv", 90_000), ("old.json", 90_000), ("new.json", 80_000)):
        (room / name).write_text("{}")
        os.utime(room / name, (time.time() - age,) * 2)

    async def some_looks():
        with suppress(TimeoutError):
            await asyncio.wait_for(comparing.forgetting(tmp_path, 60.0), 0.5)

    asyncio.run(some_looks())
    assert [path.name for path in room.iterdir()] == ["new.json"]
