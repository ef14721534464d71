"""Actions: every figure is that of the views for the same moment, in both languages, shown as text."""

from zoneinfo import ZoneInfo

from features.store.read_view import read_view
from models.daily_log import DailyLog
from models.kept import Kept
from models.local import COUNTS
from serving.dashboard.actions import cost_of_all
from serving.dashboard.numbers import Numbers
from tests.serving.dashboard.counted import CONTACTS, EVIL, lived
from tests.serving.dashboard.test_signing_in import KEY, with_key

ALL = ("read", "recommend", "feedback", "ingest")


def entered(local_with, more="holdout = 0.3\n"):
    return with_key(local_with(more), scopes=ALL)


async def read(client, path, language="en"):
    client.headers["authorization"] = f"Bearer {KEY}"
    return await client.get(path, headers={"accept-language": language})


def test_uses_and_lift_are_those_of_the_views(local_with):
    local = entered(local_with)

    async def journey(client):
        client.headers["authorization"] = f"Bearer {KEY}"
        counted = await lived(client, local)
        store = local.service.store
        views = {name: read_view(store, name) for name in ("v_decisions_daily", "v_action_lift")}
        pages = [(await read(client, f"/actions?since={since}")).text for since in ("ever", "")]
        return counted, views, pages

    counted, views, pages = local.run(journey)
    for name in ("decisions", "carried_out", "answered", "accepted", "converted", "rejected"):
        by_action: dict[str, int] = {}
        for row in views["v_decisions_daily"]:
            by_action[row["action"]] = by_action.get(row["action"], 0) + row[name]
        assert {row["action"]: row[name] for row in counted["uses"]} == by_action
    assert sum(row["decisions"] for row in counted["uses"]) == CONTACTS
    assert sum(row["value"] or 0.0 for row in counted["uses"]) == sum(
        row["value"] or 0.0 for row in views["v_decisions_daily"]
    )
    assert counted["lift"] == views["v_action_lift"]
    numbers = Numbers("en", ZoneInfo("UTC"), 0)
    for page in pages:
        for row in counted["uses"]:
            assert f'<td class="n">{numbers.number(row["decisions"])}</td>' in page
        for row in counted["lift"]:
            assert f"{numbers.number(row['successes'])}/{numbers.number(row['decisions'])}" in page


def test_costs_are_those_of_what_was_carried_out(local_with):
    settings = local_with("").settings
    assert cost_of_all(settings, "sales_call", 3) == 54.0
    assert cost_of_all(settings, "do_nothing", 9) == 0.0
    assert cost_of_all(settings, "gone", 9) is None


def test_gates_and_topics_are_told_and_what_is_from_the_data_is_text(local_with):
    local = entered(local_with, "holdout = 0.0\n")

    async def journey(client):
        client.headers["authorization"] = f"Bearer {KEY}"
        counted = await lived(client, local)
        counted["topics"]["new_topics"] = {EVIL: {"slots": 2, "read": 1, "rate": 0.5, "interval": [0.1, 0.9]}}
        counted["topics"]["new"] = {"slots": 2, "read": 1, "rate": 0.5, "interval": None}
        Kept(local.settings.folder / COUNTS).put(counted)
        return counted, (await read(client, "/actions")).text, (await read(client, "/actions", "de")).text

    counted, english, german = local.run(journey)
    told = counted["gates"]["actions"]["sales_call"]["placements"]["outbound"]
    assert told["eligible"] + sum(told["removed"].values()) == counted["gates"]["contacts"]
    assert f"{told['eligible']} <span" in english
    assert "Nobody is held out" in english and "Niemand ist ausgenommen" in german
    for page in (english, german):
        assert "<script>alert" not in page and "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_what_is_not_known_yet_says_what_to_do(local_with):
    async def journey(client):
        return [(await read(client, "/actions", language)).text for language in ("en", "de")]

    english, german = entered(local_with, "").run(journey)
    for command in ("nba evaluate counts --keep", "nba evaluate daily --keep", "nba train run"):
        assert f"<code>{command}</code>" in english and f"<code>{command}</code>" in german
    assert "Not counted yet" in english and "Noch nicht gezählt" in german


def test_the_daily_comparison_is_shown_as_the_api_tells_it(local_with):
    local = entered(local_with)
    over = {"points": {"value": 0.81, "interval": [0.21, 1.41]}, "random": {"value": None, "interval": None}}
    day = {"day": "2025-11-20", "decisions": 2210, "value": 3.14, "why": "", "over": over}
    day |= {"holdout": {"held_out": 4, "value": None, "interval": None}}
    DailyLog.of(local.settings.folder).add(day)

    async def journey(client):
        return (await read(client, "/v1/model")).json()["comparisons"], (await read(client, "/actions")).text

    told, page = local.run(journey)
    assert told == day
    assert "2,210 decisions" in page and "brought 3.14 each" in page
    assert "+0.81" in page and "0.21 – 1.41" in page
    assert "too few held out" in page and "the log cannot say" in page


def test_who_sees_a_part_of_the_contacts_is_not_told_of_all(local):
    async def journey(client):
        return [(await read(client, path)).status_code for path in ("/actions", "/model", "/first-steps")]

    assert with_key(local, owner="jane").run(journey) == [403, 403, 403]
