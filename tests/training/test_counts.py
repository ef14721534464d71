"""Counts for pages: training and service see the same features, and weeks without decisions are there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from features.times import DAY
from models.bundle import Bundle
from models.local import install
from nba.settings import parse_settings
from serving.app import create_app
from serving.deciding import answer
from tests.journeys.test_parity import SETTINGS, Life, made_bundle
from training.counts import findings, parity, weeks


def test_weeks_begin_on_mondays_and_none_is_left_out() -> None:
    rows = [
        {"day": "2026-11-01", "action": "call", "decisions": 2},
        {"day": "2026-11-20", "action": "mail", "decisions": 3},
        {"day": "2026-11-17", "action": "mail", "decisions": 1},
    ]
    assert weeks(rows) == [
        {"week": "2026-10-26", "decisions": {"call": 2}},
        {"week": "2026-11-02", "decisions": {}},
        {"week": "2026-11-09", "decisions": {}},
        {"week": "2026-11-16", "decisions": {"mail": 4}},
    ]
    assert weeks([]) == []


def test_findings_are_summed_over_days_with_the_first_and_the_last() -> None:
    common = {"finding": "late outcome", "table_name": "outcomes", "subject": "accepted"}
    rows = [{**common, "day": day, "row_count": n} for day, n in (("2026-11-03", 2), ("2026-11-01", 5))]
    assert findings(rows) == [{**common, "rows": 7, "first_day": "2026-11-01", "last_day": "2026-11-03"}]


@pytest.mark.slow
def test_parity_finds_what_came_in_after_the_decision(tmp_path: Path) -> None:
    settings = parse_settings(SETTINGS, folder=tmp_path, environ={})
    install(tmp_path, made_bundle(tmp_path / "made"), "1", Bundle.load(tmp_path / "made").sha256)
    life = Life(3, 10)
    app = create_app(settings, clock=life.clock)

    async def live() -> tuple[Any, Any, Any]:
        async with app.router.lifespan_context(app):
            service = app.state.service
            for _ in range(30):
                with service.store.writing() as writing:
                    life.goes_on(writing)
                await answer(service, {"contact": life.who()})
            store, belief, later = service.store, service.bundles.current, life.now + DAY
            same = parity(store, settings, belief, later)
            first = store._all("SELECT identity, min(decided_at) FROM decisions WHERE features_sha IS NOT NULL")[0]
            with store.writing() as writing:
                late = life._touchpoint()._replace(identity=first[0], occurred_at=first[1] - 1)
                writing.touchpoints([late._replace(touchpoint_id="late", source="test")])
            return same, parity(store, settings, belief, later), parity(store, settings, None, later)

    same, late, without = asyncio.run(live())
    assert same["compared"] > 0 and same["differ"] == 0
    assert late["compared"] == same["compared"] and late["differ"] >= 1
    assert without is None
