"""Claims about topic rules in use: training and a request know the same topics, by the rules of today."""

from dataclasses import replace

import numpy as np
import pytest

from features.feature_set import choose
from features.matrix import History
from features.store.store import Store
from features.times import parse_time
from nba.cli import main
from nba.past import Past
from nba.settings import load_settings
from training.past import read_past

NOW = parse_time("2026-11-20")
RULE = '[topics]\nrules = [{{ property = "page.url", matches = "{}", topic = "pumps/industrial" }}]\n'
ROWS = """\
{"identity":"crm:1","occurred_at":"2026-11-01T10:00:00Z","kind":"page_view","page":{"url":"/produkte/pumpen/7"}}
{"identity":"crm:1","occurred_at":"2026-11-02T10:00:00Z","kind":"page_view","page":{"url":"/blog/7"}}
{"identity":"crm:1","occurred_at":"2026-11-03T10:00:00Z","kind":"page_view","topic":"valves","page":{"url":"/blog/7"}}
{"identity":"crm:2","occurred_at":"2026-11-04T10:00:00Z","kind":"page_view","page":{"url":"/blog/7"}}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.jsonl").write_text(ROWS)
    (tmp_path / "nba.toml").write_text(RULE.format("/produkte/*"))
    assert main(["load", "touchpoints", "t.jsonl"]) == 0
    return tmp_path


def interests(here) -> dict[str, float]:
    """What a request and a training know of crm:1, which must be the same."""
    settings = load_settings(here / "nba.toml", {})
    with Store.open(settings.store.url) as store:
        trained = read_past(store, settings, NOW).touchpoints
        # Twice, as what was read before may have been kept for the next reader.
        one = [Past.read(store, "crm:1", NOW, settings.touchpoints).touchpoints for _ in range(2)][-1]
    features = choose(trained, rules=settings.touchpoints, before=NOW)
    features = replace(features, topics=("pumps", "pumps/industrial", "valves"))
    as_of = np.array([NOW])
    batch = History(trained, features).matrix(np.array([trained.contacts.index("crm:1")]), as_of)
    request = History(one, features).matrix(np.array([0]), as_of)
    np.testing.assert_array_equal(request, batch)
    return {name: float(request[0, features.columns.index(f"interest_topic_{name}")]) for name in features.topics}


def test_a_touchpoint_without_a_topic_gets_that_of_the_rule_and_another_keeps_its_own(here):
    found = interests(here)
    assert found["pumps"] == found["pumps/industrial"] > 0 and found["valves"] > 0


def test_a_changed_rule_holds_for_what_is_in_the_store(here):
    before = interests(here)
    (here / "nba.toml").write_text(RULE.format("/blog/*"))
    after = interests(here)
    # The page that fits now was seen a day later, so that the interest has faded less.
    assert after["pumps/industrial"] > before["pumps/industrial"] and after["valves"] == before["valves"]
    (here / "nba.toml").write_text("")
    assert interests(here) == {"pumps": 0, "pumps/industrial": 0, "valves": after["valves"]}
