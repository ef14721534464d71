"""Who is scored into the line of what people have to do is shown there: scored is as the list is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.rows.row_types import TouchpointRow
from features.store.store import Store
from nba.in_line import in_line
from nba.partners.visibility import Viewer
from nba.settings import Settings
from nba.worklist import Worklist, sober
from tests.training import scale_worlds
from tests.training.scale_worlds import NOW, belief
from training.past import read_past
from training.scoring import rows_of, score_table

CALL = 11.0


def exploring(policy: str) -> Settings:
    """Settings under which a call costs about what it may bring, and all else too much: exploring would choose some."""
    usual = scale_worlds.settings()
    actions = {name: replace(each, cost=CALL if name == "call" else 1000.0) for name, each in usual.actions.items()}
    return replace(usual, actions=actions, ranking=replace(usual.ranking, policy=policy))


@pytest.mark.parametrize("policy", ["thompson", "epsilon"])
def test_everybody_in_the_line_is_shown_by_the_list(policy: str, tmp_path: Path) -> None:
    settings, rng = exploring(policy), np.random.default_rng(0)
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        with store.writing() as writing:
            writing.touchpoints([TouchpointRow(*scale_worlds._row(rng, number, 60)) for number in range(700)])
        past = read_past(store, settings, NOW)
        scores = score_table(past, settings, belief(), advance=lambda n: None)
        line = [row for each in rows_of(scores) if (row := in_line(each, settings.actions, {})).work is not None]
        store.save_scores(line)
        shown = Worklist(store, sober(settings), belief(), Viewer(), NOW)
        found = {row.contact_id for row in line if shown.row(row.contact_id, row) is not None}
    assert found == {row.contact_id for row in line} and found
