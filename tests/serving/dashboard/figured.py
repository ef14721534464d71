"""A service with something on every page: scores of a model, decisions with what came of them, partners, bad rows."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from typing import Any

from features.rows.row_types import KeyRow, RecordRow
from features.store.figures import figures_of
from features.store.keys import store_key
from features.store.read_view import read_view
from features.store.store import Store
from features.store.views import VIEWS
from features.times import DAY, iso
from models.daily_log import DailyLog
from models.forecast_log import ForecastLog
from models.kept import Kept
from models.local import COUNTS, FOLDER, STANDING
from nba.cli import main
from nba.in_line import in_line
from nba.partners.owner_sights import put_down
from serving.keys import digest_of
from tests.serving.conftest import NOW
from tests.serving.dashboard.segmented import SEGMENTS, filled, named, score
from tests.serving.dashboard.sides import SCOPES
from tests.serving.dashboard.test_forecast_page import came, report
from tests.serving.dashboard.test_model_page import serving
from training.counts import count

NORTH = "nba_" + "n" * 43
MORE = "holdout = 0.3\n[accounts]\nroles = ['user', 'purchasing']\n[contact_policy]\ntimezone = 'UTC'\n" + SEGMENTS
DECIDED = 41
LEADS = 150
"""Contacts of no account, enough for a comparison with those who are held out."""
EFFECTS = {
    "newsletter_topic": {"value": 0.0123, "interval": [0.0045, 0.0201], "decisions": 1234, "evidence": "randomised"},
    "sales_call": {"value": -0.0371, "interval": None, "decisions": 77, "evidence": "observational"},
}
MOVED = [{"feature": f"f{i}", "means": f"what {i} is", "psi": 0.31 + i / 7, "how": ""} for i in range(3)]
COMPARED = {
    "day": "2025-11-20", "decisions": 2210, "value": 3.14, "why": "",
    "over": {
        "points": {"value": 0.81, "interval": [0.21, 1.41]},
        "random": {"value": -0.62, "interval": [-1.93, -0.17]},
        "propensity_only": {"value": None, "interval": None},
    },
    "holdout": {"held_out": 4, "value": None, "interval": None},
}  # fmt: skip


def figured(local_with: Any, monkeypatch: Any) -> tuple[Any, Any]:
    """Load, train what needs no training, score twice; the service and its standing."""
    local, standing = serving(local_with(MORE))
    _judged(local, standing)
    filled(local)
    with Store.open(local.settings.store.url) as store, store.writing() as writing:
        key = KeyRow("id-n", "north", digest_of(NORTH), SCOPES, "north", None, False, (), None, 0)
        store_key(writing, key)
        writing.records("partners", [RecordRow("north", 1, {"name": "North", "capacity": 17})])
        writing.records("accounts", [RecordRow(f"a{i}", 1, {"name": f"Firm {i}"}) for i in range(5)])
        writing.contacts([RecordRow(named(i), 1, {"phone": f"+41 44 768 10 {i}", "role": "user"}) for i in range(9)])
    for at in (NOW - 8 * DAY, NOW):
        score(local, monkeypatch, at)
    _worth_a_call(local)
    toml = str(local.settings.folder / "nba.toml")
    assert main(["--config", toml, "pipeline", "--since", iso(NOW - 60 * DAY)[:10], "--as-of", iso(NOW)]) == 0
    local.checked = said("points", "check", "--keep", "--json", "--as-of", iso(NOW), "--config", toml)
    local.tick, local.now = 0, NOW + DAY // 24
    return local, standing


def said(*words: str) -> Any:
    """Return what a command says as JSON."""
    with redirect_stdout(io.StringIO()) as out:
        assert main([*words[-2:], *words[:-2]]) == 0
    return json.loads(out.getvalue())


def _judged(local: Any, standing: Any) -> None:
    """Add to what is known of the model, and put down what else was judged by commands."""
    folder, learnt = local.settings.folder, standing["champion"]["report"]
    learnt["effects"] = {"conversion": EFFECTS}
    goal = learnt["goals"]["conversion"]
    goal["metrics"]["model"] |= {"ece": 0.0173, "lift_at_10": 3.41, "brier": 0.1234}
    goal["drift"]["in_data"]["features"] = MOVED
    Kept(folder / FOLDER / STANDING).put(standing)
    DailyLog.of(folder).add(COMPARED)
    log = ForecastLog.of(folder)
    assert log.add(report(NOW - 9 * DAY), NOW - 9 * DAY)
    assert log.add(report(NOW - DAY, earlier=[came(NOW - 40 * DAY)]), NOW - DAY)


def _worth_a_call(local: Any) -> None:
    """Give every score an action for people, so that there is a list of them."""
    with Store.open(local.settings.store.url) as store:
        rows = [row for row in (store.scores_of(named(i)) for i in range(60)) if row is not None]
        best = [{**row.body, "action_1": "sales_call", "priority_1": 70.25 - i} for i, row in enumerate(rows)]
        placed = [row._replace(body=body) for row, body in zip(rows, best, strict=True)]
        actions = local.settings.actions
        store.save_scores(in_line(row, actions, {"partner": row.partner} if row.partner else {}) for row in placed)


async def lived(client: Any, local: Any, head: dict[str, str]) -> None:
    """Let contacts be asked about, and answer; send what is wrong; and count."""
    offers = [
        local.touchpoint(f"o{i}", "lead_offered", 2.0, named(i), topics=["pumps"], properties={"partner": "north"})
        for i in range(60)
        if i % 10 == 7
    ]
    calls = [local.touchpoint(f"s{i}", "service_call", 1.0, named(i), channel="phone") for i in range(0, 60, 3)]
    for rows in (offers, calls, [{"touchpoint_id": "bad", "identity": "crm:1", "kind": "visit"}]):
        assert (await client.post("/v1/touchpoints", json=rows, headers=head)).status_code == 200
    for i in range(DECIDED):
        asked = {"contact": named(i), "decision_id": f"d{i}"}
        found = (await client.post("/v1/recommend", json=asked, headers=head)).json()
        if found["recommendations"] and i % 3:
            told = {"decision_id": f"d{i}", "outcome": "converted" if i % 2 else "rejected", "value": 100.0 + i}
            assert (await client.post("/v1/feedback", json=told, headers=head)).status_code == 200
    await _led(client, local, head)
    local.now += 60_000_000
    store = local.service.store
    put_down(store, local.settings, 2**60)
    counted = count(store, local.settings, local.service.bundles.current, local.now)
    assert Kept(local.settings.folder / COUNTS).put(counted | {"took_seconds": 0.1})


async def _led(client: Any, local: Any, head: dict[str, str]) -> None:
    """Let contacts of no account be decided about over two weeks, with and without success."""
    now = local.now
    kinds = ("visit", "newsletter_open", "download", "service_call")
    rows = [local.touchpoint(f"lead{i}", kinds[i % 4], 40.0, f"lead:{i:03}", topics=["pumps"]) for i in range(LEADS)]
    assert (await client.post("/v1/touchpoints", json=rows, headers=head)).status_code == 200
    for i in range(LEADS):
        local.now = now - (13 * DAY if i % 3 else 0)
        asked = {"contact": f"lead:{i:03}", "decision_id": f"l{i}"}
        found = (await client.post("/v1/recommend", json=asked, headers=head)).json()
        if i % 5 < 4:
            outcome = ("converted", "rejected", "accepted", "clicked")[i % 4]
            told = (
                {"decision_id": f"l{i}", "outcome": outcome, "value": 10.5 + i}
                if i % 4 == 0
                else {"decision_id": f"l{i}", "outcome": outcome}
            )
            answer = await client.post("/v1/feedback", json=told, headers=head)
            assert answer.status_code == 200 or not found["recommendations"], answer.text
    local.now = now


def views_of(local: Any) -> dict[str, list[dict[str, Any]]]:
    """What BI tools read, as of now."""
    return {view.name: read_view(local.service.store, view.name) for view in VIEWS}


def kept_figures(local: Any) -> dict[str, list[Any]]:
    """What was counted over everybody, by name, by rising time."""
    names = [name for (name,) in local.service.store._all("SELECT DISTINCT name FROM figures")]
    return {name: figures_of(local.service.store, name, 0, 2**62) for name in names}
