"""A service whose contacts were scored by `nba score` with a model: segments, revenue, contacts that partners keep."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from features.rows.row_types import ContactRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, iso
from models.belief import Belief
from nba.cli import main
from tests.serving.conftest import NOW, SETTINGS
from tests.training.weighing_worlds import belief

EVIL = '<script>alert("1")</script>'
SEGMENTS = f"""
[segments.warm]
points_from = 50
[segments.buyers]
seen = ["order"]
[segments.{json.dumps(EVIL)}]
topics = ["pumps", "<b>saws</b>"]
without = ["moon_landing"]
[segments.likely]
propensity_from = 0.4
"""
FORMULA = "=1+1"
N = 60


def named(i: int) -> str:
    """Return a contact's name; one is a formula."""
    return FORMULA if i == 0 else f"crm:{i:02}"


def partner_of(i: int) -> str | None:
    """Return whose contact it is: of ten contacts one is kept by its partner, another one shown in part."""
    return {7: "north", 8: "partly"}.get(i % 10)


def filled(local: Any, days: float = 0.0) -> None:
    """Put contacts into the store, whose happenings end some days ago."""
    rng, end = np.random.default_rng(6), NOW - int(days * DAY)
    kinds = ("visit", "newsletter_open", "download", "order")
    rows = []
    for number in range(N * 6):
        i, kind = int(N * rng.random() ** 1.5), str(rng.choice(kinds, p=[0.5, 0.2, 0.15, 0.15]))
        # Of those who are as lively only some bring much.
        worth = float(rng.integers(1, 90) ** 2) if i % 3 == 0 else 1.0
        rows.append(
            TouchpointRow(
                named(i),
                int(end - rng.integers(1, 300 * DAY)),
                f"t{number}",
                kind,
                channel="web",
                topics='["pumps"]' if rng.random() < 0.2 else None,
                value=worth if kind == "order" else None,
            )
        )
    rows += [TouchpointRow(named(i), end - 2 * DAY, f"one{i}", "visit", channel="web") for i in range(N)]
    with Store.open(local.settings.store.url) as store, store.writing() as writing:
        writing.touchpoints(rows)
        writing.records("partners", [ContactRow("partly", 1, {"visible": '["segments", "stage"]'})])
        writing.contacts(
            [
                ContactRow(named(i), NOW - 400 * DAY, {"name": f"Name {i}", "account": f"a{i % 5}", **_of_partner(i)})
                for i in range(N)
            ]
        )


def _of_partner(i: int) -> dict[str, Any]:
    return {} if partner_of(i) is None else {"partner": partner_of(i)}


def score(local: Any, monkeypatch: Any, at: int = NOW, *, with_model: bool = True) -> None:
    """Let the command score everybody as of a moment."""
    folder = local.settings.folder
    (folder / "nba.toml").write_text(SETTINGS + SEGMENTS, encoding="utf-8")
    monkeypatch.setattr(Belief, "installed", classmethod(lambda cls, folder: belief() if with_model else None))
    words = ["--config", str(folder / "nba.toml"), "score", "--as-of", iso(at), "--out", str(folder / "s.parquet")]
    assert main(words) == 0
