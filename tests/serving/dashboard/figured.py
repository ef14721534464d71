"""A service with something on every page: scores of a model, decisions with what came of them, partners, bad rows."""

from __future__ import annotations

from typing import Any

from features.rows.row_types import KeyRow, RecordRow
from features.store.figures import figures_of
from features.store.keys import store_key
from features.store.read_view import read_view
from features.store.store import Store
from features.store.views import VIEWS
from features.times import DAY, iso
from models.kept import Kept
from models.local import COUNTS
from nba.cli import main
from nba.in_line import in_line
from serving.keys import digest_of
from tests.serving.conftest import NOW
from tests.serving.dashboard.segmented import SEGMENTS, filled, named, score
from tests.serving.dashboard.sides import SCOPES
from tests.serving.dashboard.test_model_page import serving
from training.counts import count

NORTH = "nba_" + "n" * 43
MORE = "holdout = 0.3\n[accounts]\nroles = ['user', 'purchasing']\n[contact_policy]\ntimezone = 'UTC'\n" + SEGMENTS
DECIDED = 41


def figured(local_with: Any, monkeypatch: Any) -> tuple[Any, Any]:
    """Load, train what needs no training, score twice; the service and its standing."""
    local, standing = serving(local_with(MORE))
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
    local.tick, local.now = 0, NOW + DAY // 24
    return local, standing


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
    local.now += 60_000_000
    store = local.service.store
    counted = count(store, local.settings, local.service.bundles.current, local.now)
    assert Kept(local.settings.folder / COUNTS).put(counted | {"took_seconds": 0.1})


def views_of(local: Any) -> dict[str, list[dict[str, Any]]]:
    """What BI tools read, as of now."""
    return {view.name: read_view(local.service.store, view.name) for view in VIEWS}


def kept_figures(local: Any) -> dict[str, list[Any]]:
    """What was counted over everybody, by name."""
    names = [name for (name,) in local.service.store._all("SELECT DISTINCT name FROM figures")]
    return {name: [row.body for row in figures_of(local.service.store, name, 0, 2**62)] for name in names}
