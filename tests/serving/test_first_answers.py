"""The first answers of a fresh process, and those after a swap, wait for no compiler and no import.

Their deadline leaves no room for either: they would come from the points table, without a model.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.feature_set import FeatureSet, TraitColumn
from features.rows.row_types import ContactRow, TouchpointRow
from features.store.store import Store
from features.times import DAY
from models.bundle import Bundle
from models.local import install
from models.propensity import Propensity
from nba.door import now_us

SETTINGS = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[actions.mail]
channel = "email"
topics = ["pumps"]
[actions.call]
channel = "phone"
when = { silent = 2.0 }
[serving]
deadline = "60s"
[contact_policy.consent]
email = "opt_out"
phone = "opt_out"
"""
PLAIN = FeatureSet(kinds=("visit", "order"), channels=("web", "email"), topics=("pumps",))
WIDE = replace(PLAIN, account=True, stage=True, traits=(TraitColumn("country", "category", ("AT", "CH")),))
OWN = replace(WIDE, own=True, types=("mail", "call"), own_channels=("email", "phone"))


def model(features):
    rng = np.random.default_rng(0)
    X = rng.exponential(3.0, (200, len(features.columns))).astype(np.float32)
    as_of = np.sort(rng.integers(0, 12, 200)) * 14 * DAY
    y = rng.random(200) < 0.4
    return Propensity.fit(X, y, as_of, as_of + DAY, np.arange(200), columns=features.columns, params={"num_leaves": 4})


def bundle(path, features, own=None):
    goal = {
        "is_absence": False, "linked": False, "horizon_us": DAY, "base_rate": 0.3, "success_value": 1.0,
        "grades": [0.1, 0.2, 0.3], "effects": {}, "after_kind": "email_sent" if own else None,
        "own": own and {"types": list(own.types), "own_channels": list(own.own_channels), "numbers": []},
    }  # fmt: skip
    manifest = {
        "created_at": "", "features": features.to_json(), "goals": {"conversion": goal}, "actions": {},
        "policies": {"serves": "learned", "evidence": "observational"},
    }  # fmt: skip
    return Bundle(manifest, {"conversion": model(own or features)}).save(path).sha256


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What a fresh process says of its first answer and of the first one after a swap."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "nba.toml").write_text(f'{SETTINGS}[store]\nurl = "sqlite:///{folder}/nba.db"\n')
    install(folder, folder / "first", "1", bundle(folder / "first", PLAIN))
    bundle(folder / "second", WIDE, OWN)
    now = now_us()
    kinds = [("visit", "web"), ("email_sent", "email"), ("newsletter_open", "email"), ("order", "shop")] * 3
    with Store.open(f"sqlite:///{folder}/nba.db") as store, store.loading() as loading:
        loading.contacts([ContactRow(f"crm:{i}", 0, {"account": "acme", "country": "CH"}) for i in (1, 2)])
        loading.touchpoints(
            [
                TouchpointRow(f"crm:{i}", now - (n + 1) * DAY, f"{i}-{n}", kind, channel, topics='["pumps/industrial"]')
                for i in (1, 2)
                for n, (kind, channel) in enumerate(kinds)
            ]
        )
        loading.settle()
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "first_answers.py"), str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("place", "version"), [(0, "1"), (1, "2")])
def test_a_first_answer_is_the_models(found, place, version):
    assert (found[place]["degraded"], found[place]["version"]) == (False, version)
    assert found[place]["drivers"] > 0


@pytest.mark.parametrize("place", [0, 1])
def test_a_first_answer_compiles_and_imports_nothing(found, place):
    assert (found[place]["compiled"], found[place]["modules"]) == ([], [])
