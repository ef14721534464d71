"""Claims about traits of contacts that were filled in after a decision: they are named, and change nothing."""

from dataclasses import replace

import numpy as np
import pytest

from features.traits import Traits
from tests.training.decision_worlds import BEGIN, World, features_of, world
from training.effect_fit import fit_effects, learn_all_effects
from training.policy.report import policies
from training.rows.decision_leaks import honest_matrix
from training.rows.decision_rows import decision_rows


def with_trait(made: World, name: str, value) -> World:
    """The same world, whose contacts carry one more trait: ``value`` of whether an order came and the row's number."""
    rows = decision_rows(made.past, made.settings)
    ordered = {rows.contacts[c]: bool(came) for c, came in zip(rows.contact, rows.outcomes["conversion"].label)}  # noqa: B905 - as many
    chosen = made.past.traits
    known = [
        (who, BEGIN, {**chosen.known(who, BEGIN + 1), name: value(came, i)})
        for i, (who, came) in enumerate(sorted(ordered.items()))
    ]
    past = replace(made.past, traits=Traits(known))
    return replace(made, past=past, features=features_of(past, made.settings))


AFTERWARDS = {
    "visited": lambda came, i: came,
    "spent": lambda came, i: (10.0 + i % 7) * came * (i % 3 == 0),
    "closed_on": lambda came, i: f"2026-09-{1 + i % 28:02}" if came else None,
}


@pytest.mark.parametrize("name", AFTERWARDS)
def test_a_trait_filled_in_afterwards_is_named_and_changes_no_effect(name):
    honest = world(2400, seed=3, average=0.1)
    leaky = with_trait(honest, name, AFTERWARDS[name])
    rows = decision_rows(leaky.past, leaky.settings)
    X, leaks = honest_matrix(rows, leaky.past, leaky.features)
    assert [leak.shown for leak in leaks] == [f"trait {name!r}"]
    at = leaky.features.columns.index(leaks[0].column)
    assert np.isnan(X[:, at]).all() and not np.isnan(X).all(axis=0).all()

    learnt = learn_all_effects(leaky.past, leaky.settings, leaky.features, ["conversion"])
    truth = honest.chance[:, 1] - honest.chance[:, 0]
    low, high = learnt.by_goal["conversion"].average["mail"]["interval"]
    assert low <= truth.mean() <= high
    assert any(warning.startswith(f"trait {name!r}") for warning in learnt.report["conversion"]["warnings"])


def test_learning_from_what_was_filled_in_afterwards_would_have_hidden_the_effect():
    leaky = with_trait(world(2400, seed=3, average=0.1), "visited", AFTERWARDS["visited"])
    rows = decision_rows(leaky.past, leaky.settings)
    X = rows.matrix(leaky.past, leaky.features)
    low, high = fit_effects(rows, X, "conversion", leaky.features).average["mail"]["interval"]
    assert high < 0.1 * 0.5, (low, high)


def test_the_report_names_it_and_values_policies_as_if_it_were_not_there():
    honest = world(2400, seed=4)
    leaky = with_trait(honest, "visited", AFTERWARDS["visited"])
    found = policies(leaky.past, leaky.settings, leaky.features)
    assert [told.partition("' ")[0] for told in found["left_out"]] == ["trait 'visited"]
    plain = policies(honest.past, honest.settings, honest.features)
    for name, each in plain["estimates"].items():
        assert found["estimates"][name]["dr"] == pytest.approx(each["dr"], abs=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_honest_traits_are_kept(seed):
    rng = np.random.default_rng(seed)
    size = rng.poisson(0.4, 1200)
    made = with_trait(world(1200, seed=seed), "size", lambda came, i: int(size[i]))
    rows = decision_rows(made.past, made.settings)
    assert honest_matrix(rows, made.past, made.features)[1] == []
