"""Claims about the account in a request: the bits of training, read only where a model asks, and nobody who objects."""

import json
from dataclasses import replace

import numpy as np
import pytest

from features import accounts
from features.feature_set import choose
from features.rows.row_types import ContactRow, LinkRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, parse_time
from nba.past import Past
from nba.settings.settings import load_settings
from training.past import read_past

NOW = parse_time("2026-06-15")
KINDS = ("visit", "order", "email_sent", "visit")


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        rng = np.random.default_rng(1)
        with store.writing() as writing:
            writing.touchpoints(
                [
                    TouchpointRow(
                        f"c{rng.integers(30)}", int(NOW - rng.integers(1, 500) * DAY // 4), f"t{n}",
                        str(rng.choice(KINDS)), channel="email", 
                        topics=json.dumps([str(rng.choice(["saws", "oil/thin", "oil"]))]),
                        value=round(float(rng.exponential(90)), 2),
                    )
                    for n in range(600)
                ]
            )  # fmt: skip
            writing.contacts(
                [
                    ContactRow(f"c{n}", int(NOW - at * DAY), {"account": f"a{rng.integers(4)}", "role": f"r{n}"})
                    for n in range(40)
                    for at in rng.integers(1, 300, rng.integers(0, 3))
                ]
            )
            writing.links([LinkRow("c3", "c4", NOW - 9 * DAY, "login"), LinkRow("c4", "c35", NOW - 8 * DAY, "login")])
        yield store


def columns_of(store, settings, features):
    past = read_past(store, settings, NOW)
    codes = past.current()
    names = [name for name in codes if codes[name] >= 0]
    X = np.empty((len(names), len(features.columns)), dtype=np.float32)
    contact = np.array([codes[name] for name in names], dtype=np.int64)
    past.fill_account(features, contact, np.full(len(names), NOW, dtype=np.int64), X)
    return names, X[:, len(features.history) :]


def features_of(store, settings):
    past = read_past(store, settings, NOW)
    return replace(choose(past.recorded, rules=settings.touchpoints, before=NOW), account=True)


def of_request(store, settings, features, name, may_profile=lambda touchpoints: True):
    past = Past.read(store, name, NOW, settings.touchpoints)
    return None if past.account is None else past.account.columns(features, NOW, may_profile)


def test_a_request_gives_the_bits_of_training(store):
    settings = load_settings(None, {})
    features = features_of(store, settings)
    names, X = columns_of(store, settings, features)
    known = 0
    for name, row in zip(names, X, strict=True):
        found = of_request(store, settings, features, name)
        if found is None:
            assert np.isnan(row).all()
        else:
            known += 1
            assert found.tobytes() == row.tobytes()
    assert known > 15 and len({"c3", "c4"} & {*names}) < 2


def test_an_account_of_too_many_is_not_looked_at_in_either(store, monkeypatch):
    import nba.account_past

    settings = load_settings(None, {})
    features = features_of(store, settings)
    largest = max(len(store.account_members(f"a{n}", NOW)) for n in range(4))
    monkeypatch.setattr(accounts, "MOST_CONTACTS", largest - 1)
    monkeypatch.setattr(nba.account_past, "MOST_CONTACTS", largest - 1)
    names, X = columns_of(store, settings, features)
    asked = [(name, of_request(store, settings, features, name)) for name in names]
    for (_, found), row in zip(asked, X, strict=True):
        assert np.isnan(row).all() if found is None else found.tobytes() == row.tobytes()
    assert any(found is not None and np.isnan(found).all() for _, found in asked)
    assert any(found is not None and not np.isnan(found).all() for _, found in asked)


def test_who_objects_to_profiling_is_left_out_in_both(store):
    settings = load_settings(None, {})
    features = features_of(store, settings)
    name = next(
        n for n in columns_of(store, settings, features)[0] if of_request(store, settings, features, n) is not None
    )
    mates = store.account_members(str(store.traits(name, NOW)["account"]), NOW)
    now = [m for m in mates if store.traits(m, NOW).get("account") == store.traits(name, NOW)["account"]]
    other = next(m for m in now if m != name and store.has_touchpoints(m) and m not in ("c3", "c4", "c35"))
    before = of_request(store, settings, features, name)
    with store.writing() as writing:
        writing.touchpoints([TouchpointRow(other, NOW - 1, "no", "objection")])

    def may_profile(touchpoints):
        return "objection" not in [touchpoints.kinds[code] for code in touchpoints.kind]

    names, X = columns_of(store, settings, features)
    after = of_request(store, settings, features, name, may_profile)
    assert after.tobytes() == X[names.index(name)].tobytes()
    assert after.tobytes() != before.tobytes()


def test_nothing_is_read_of_an_account_before_a_model_asks(store, monkeypatch):
    def refuse(*args):
        raise AssertionError("read")

    monkeypatch.setattr(store, "account_members", refuse)
    past = Past.read(store, "c1", NOW, load_settings(None, {}).touchpoints)
    assert past.account is not None
