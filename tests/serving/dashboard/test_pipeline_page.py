"""Pipeline: every figure is that of the store, in both languages, and what is not counted yet says what to do."""

import re
from typing import Any
from zoneinfo import ZoneInfo

from features.store.figures import figures_of, latest_figure, store_figures
from features.times import iso
from serving.dashboard.funnel import Funnel
from serving.dashboard.numbers import Numbers
from serving.dashboard.pipeline import _matrix
from tests.serving.dashboard.page_text import only
from tests.serving.dashboard.test_actions_page import ALL, entered, read
from tests.serving.dashboard.test_signing_in import KEY, with_key
from training.past import read_past
from training.pipeline.moments import WEEK, moments
from training.pipeline.pipeline import Pipeline, name_of
from training.pipeline.scored import SCORED, count_scored
from training.scoring import score_table

EVIL = "<script>alert(1)</script>"
N = Numbers("en", ZoneInfo("UTC"), 0)


async def lived(client, local):
    """Let contacts come and go for some weeks, and count as ``nba pipeline`` and ``nba score`` do."""
    client.headers["authorization"] = f"Bearer {KEY}"
    kinds = ("page_view", "search", EVIL, "order", "download", "service_search")
    points = [
        local.touchpoint(
            f"t{i}-{j}", kind=kinds[(i + j) % 6], contact=f"crm:{i}", days=3.0 * i + 9.0 * j, channel="web"
        )
        for i in range(12)
        for j in range(6)
    ]
    assert (await client.post("/v1/touchpoints", json=points)).status_code == 200
    store, settings = local.service.store, local.settings
    past = read_past(store, settings, local.now)
    rows = list(Pipeline(past, settings, None, WEEK).figures(moments(local.now - 8 * WEEK, local.now, WEEK)))
    scores = score_table(past, settings, None, advance=lambda n: None)
    with store.writing() as writing:
        store_figures(writing, [*rows, count_scored(scores, {}, past, settings, None)])
    return rows


def cells(page, caption):
    """The numbers of a table by its rows' heads; without what stands smaller beside them."""
    table = only(rf'<caption class="hidden">{re.escape(caption)}</caption>(.*?)</table>', page, re.S)
    table = re.sub(r'<span class="quiet small">.*?</span>', "", table)
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', table, re.S)
    return {
        re.sub("<.*?>", "", head).strip(): [
            re.sub(r"<.*?>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row)
        ]
        for head, row in rows
    }


def test_figures_are_those_of_the_store(local):
    async def journey(client):
        await lived(client, local)
        store = local.service.store
        kept = figures_of(store, name_of(WEEK), 0, 2**60)
        return kept, latest_figure(store, SCORED, 2**60), (await read(client, "/pipeline")).text

    kept, scored, page = with_key(local, scopes=ALL).run(journey)
    body = kept[-1].body
    assert [int(n) for n in re.findall(r'<p class="figure">(\d+)</p>', page)] == list(scored.body["stages"].values())
    assert f"{scored.body['contacts']} contacts, as scored" in page
    over_time = cells(page, "Contacts by stage")
    newest = next(iter(over_time.values()))
    assert newest == [N.number(n) for n in [*body["stages"].values(), body["contacts"]]]
    assert len(over_time) == len([row for row in kept if row.body["contacts"]])
    table = cells(page, "Contacts by the stage before and the stage after")
    sums = table.pop("Total")
    assert [int(n) for n in sums[: len(body["stages"])]] == list(body["stages"].values())
    told = sum(int(n) for row in table.values() for n in row[:-1] if n != "·")
    assert told == sum(move["contacts"] for move in body["moves"])
    stuck = cells(page, "Who is stuck")
    assert [row[0] for row in stuck.values()] == [N.number(n) for n in body["stages"].values()]
    silent = cells(page, "Who leaves")
    assert [row[1:] for row in silent.values()] == [
        [N.number(each["silent"]), N.number(each["fell_silent"])] for each in body["leaving"].values()
    ]
    visits = Funnel.of((row.body["visits"] for row in kept[-4:]), ())
    ends = cells(page, "With what they end")
    assert [row for row in ends.values()] == [
        [N.number(each["visits"]), N.number(each["went_on"]), N.number(each["ended"])] for each in visits.kinds
    ]
    assert f"{visits.visits} visits to web site and shop" in page


def test_what_is_from_the_data_is_text_in_both_languages(local):
    async def journey(client):
        await lived(client, local)
        return [(await read(client, "/pipeline", language)).text for language in ("en", "de")]

    for page in with_key(local, scopes=ALL).run(journey):
        assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def test_another_week_can_be_looked_at(local):
    async def journey(client):
        rows = await lived(client, local)
        week = iso(rows[-3].at)[:10]
        return rows, [(await read(client, path)).text for path in (f"/pipeline?week={week}", "/pipeline?week=never")]

    rows, (earlier, newest) = with_key(local, scopes=ALL).run(journey)
    assert f"/pipeline?week={iso(rows[-2].at)[:10]}#moves" in earlier and f"week={iso(rows[-4].at)[:10]}#" in earlier
    assert f"week={iso(rows[-2].at)[:10]}#moves" in newest and 'rel="next"' not in newest
    table = cells(earlier, "Contacts by the stage before and the stage after")
    assert [int(n) for n in table["Total"][: len(rows[-3].body["stages"])]] == list(rows[-3].body["stages"].values())


def test_weeks_with_other_stages_are_not_mixed_in(local):
    async def journey(client):
        rows = await lived(client, local)
        other = rows[2]._replace(body={**rows[2].body, "stages_id": "others"})
        with local.service.store.writing() as writing:
            store_figures(writing, [other])
        return rows, (await read(client, "/pipeline")).text

    rows, page = with_key(local, scopes=ALL).run(journey)
    assert len(cells(page, "Contacts by stage")) == len([row for row in rows if row.body["contacts"]]) - 1


def test_what_is_not_counted_yet_says_what_to_do(local_with):
    async def journey(client):
        return [(await read(client, "/pipeline", language)).text for language in ("en", "de")]

    for page in entered(local_with, "").run(journey):
        assert "<code>nba pipeline</code>" in page and "<code>nba score --out scores.parquet</code>" in page


def test_who_sees_a_part_of_the_contacts_is_not_told_of_all(local):
    async def journey(client):
        return [(await read(client, path)).status_code for path in ("/pipeline", "/forecast")]

    assert with_key(local, partner="north").run(journey) == [403, 403]


def test_the_matrix_adds_up_to_everybody():
    risks, worths = ("low", "medium", "high"), ("none", "small", "middle", "large")
    told: list[dict[str, Any]] = [
        {"risk": a, "worth": b, "contacts": 3 * i + j, "revenue": 9.5 * j}
        for i, a in enumerate(risks)
        for j, b in enumerate(worths)
    ]
    found = _matrix({"goal": "churn", "currency": "EUR", "worth_from": {"large": 9.0}, "cells": told})
    assert found is not None
    assert found["contacts"] == sum(cell["contacts"] for cell in told) == sum(row["contacts"] for row in found["rows"])
    assert [row["risk"] for row in found["rows"]] == ["high", "medium", "low"]
    # The number stands in the cell; how dark it is goes with it.
    shades = sorted((cell["contacts"], cell["shade"]) for row in found["rows"] for cell in row["cells"])
    assert [shade for _, shade in shades] == sorted(shade for _, shade in shades) and shades[-1][1] == 4


def test_visits_of_several_weeks_are_added_up():
    one = {
        "visits": 5, "steps": [5, 2],
        "kinds": {"search": {"visits": 3, "ended": 1, "place": 0.0}, "order": {"visits": 2, "ended": 2, "place": 1.0}},
        "entries": {"search": {"visits": 3, "steps": [3, 2], "ended": {"search": 1, "order": 2}}},
    }  # fmt: skip
    two = {"visits": 1, "steps": [1], "kinds": {"order": {"visits": 1, "ended": 1, "place": 0.0}}, "entries": {}}
    found = Funnel.of([one, two], {"order"})
    assert (found.visits, found.steps) == (6, (6, 2))
    assert [(row["kind"], row["visits"], row["went_on"], row["is_goal"]) for row in found.kinds] == [
        ("search", 3, 2, False), ("order", 3, 0, True),
    ]  # fmt: skip
    assert found.entries[0]["ended"] == [("order", 2), ("search", 1)]
