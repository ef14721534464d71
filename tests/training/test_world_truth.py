"""What the journey world says of its truth is so: what is seen agrees with it, over seeds, within bounds."""

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from features.times import DAY
from features.touchpoints.touchpoints import Touchpoints
from training.world.rules import FIRST_DONE, PRODUCTS
from training.world.world import STAGES, WINDOW_DAYS, JourneyWorld, world

SEEDS = range(16)
F64 = NDArray[np.float64]
_ASKS, _BUYS = ("need", "evaluate"), ("purchase", "renew")


@pytest.fixture(scope="module")
def worlds() -> list[JourneyWorld]:
    return [world(300, seed=seed, days=150) for seed in SEEDS]


@pytest.fixture(scope="module")
def confounded() -> list[JourneyWorld]:
    return [world(300, seed=seed, days=150, confounded=True) for seed in SEEDS]


@pytest.fixture(scope="module")
def still() -> list[JourneyWorld]:
    return [world(300, seed=seed, days=150, no_effects=True) for seed in SEEDS]


def _labels(lived: JourneyWorld) -> F64:
    """Orders within the window of each decision, counted in the touchpoints."""
    rows = lived.touchpoints
    orders = np.array(sorted((_number(lived, row.identity), row.occurred_at) for row in rows if row.kind == "order"))
    key = orders[:, 0] * 2**52 + (orders[:, 1] - lived.begin)
    truth = lived.truth
    begin = truth.contact * 2**52 + (truth.decided_at - lived.begin)
    found = np.searchsorted(key, begin + WINDOW_DAYS * DAY) - np.searchsorted(key, begin)
    return (found > 0).astype(np.float64)


def _number(lived: JourneyWorld, identity: str) -> int:
    return int(identity.removeprefix("crm:"))


def _score(residual: F64, variance: F64) -> float:
    return float(residual.sum() / np.sqrt(max(variance.sum(), 1e-12)))


def _look_standard_normal(scores: ArrayLike) -> None:
    """Over the seeds (rows), sums of residuals by their stated spread have mean 0 in each column, and spread 1."""
    z = np.asarray(scores, dtype=np.float64).reshape(len(SEEDS), -1)
    assert (np.abs(z.mean(axis=0)) * np.sqrt(len(z)) < 4.5).all()
    assert 0.75 < np.sqrt((z**2).mean()) < 1.3


def test_orders_in_the_touchpoints_are_the_outcomes_of_matured_decisions(worlds: list[JourneyWorld]) -> None:
    for lived in worlds[:6]:
        ended = lived.truth.matured
        assert 0.3 < ended.mean() < 1.0
        assert np.array_equal(_labels(lived)[ended] > 0, lived.truth.ordered[ended])


@pytest.mark.parametrize("kind", ["worlds", "confounded", "still"])
def test_outcomes_are_as_frequent_as_the_truth_says_in_every_stage_and_under_every_action(
    kind: str, request: pytest.FixtureRequest
) -> None:
    lived: list[JourneyWorld] = request.getfixturevalue(kind)
    scores = []
    for truth in (each.truth for each in lived):
        p = truth.chance[np.arange(len(truth)), truth.action]
        cells = [(truth.action == column) & (truth.stage == stage) for column in range(5) for stage in range(6)]
        cells += [truth.action == column for column in range(5)]
        scores.append([_score(truth.ordered[here] - p[here], (p * (1 - p))[here]) for here in cells])
    _look_standard_normal(scores)


def test_actions_are_as_frequent_as_their_logged_probabilities_say(worlds: list[JourneyWorld]) -> None:
    scores = []
    for truth in (lived.truth for lived in worlds):
        taken = np.eye(5)[truth.action]
        spread = truth.logged * (1 - truth.logged)
        scores.append([_score((taken - truth.logged)[:, a], spread[:, a]) for a in range(5)])
    _look_standard_normal(scores)


def test_decisions_carry_the_probabilities_they_were_drawn_with(worlds: list[JourneyWorld]) -> None:
    lived = worlds[0]
    for row, logged in zip(lived.decisions, lived.truth.logged, strict=True):
        assert row.chances is not None
        assert list(row.chances) == list(lived.actions) == list(row.allowed or ())
        assert sum(row.chances.values()) == pytest.approx(1.0)
        assert row.probability == row.chances[row.action]
        assert list(row.chances.values()) == logged.tolist()
    assert lived.truth.logged.min() > 0.4 / 5 - 1e-9
    assert lived.truth.logged.std(axis=0).min() > 0.01  # the log looks at behaviour


def test_weighted_by_their_probabilities_outcomes_give_the_value_of_a_policy(worlds: list[JourneyWorld]) -> None:
    scores = []
    for lived in worlds:
        truth, ended, label = lived.truth, lived.truth.matured, _labels(lived)
        taken = np.arange(len(truth)), truth.action
        for policy in (*(truth.always(name) for name in truth.actions), truth.uniform(), truth.oracle()):
            found = (policy[taken] / truth.logged[taken] * label)[ended]
            error = found.mean() - truth.value(policy[ended], ended)
            scores.append(float(error / (found.std() / np.sqrt(len(found)))))
    _look_standard_normal(scores)


def test_without_effects_no_action_changes_anything_and_the_behaviour_of_the_log_stays() -> None:
    still = world(300, seed=3, days=150, no_effects=True)
    assert (still.truth.effect == 0.0).all()
    assert np.array_equal(still.truth.average_effect, np.zeros(4))
    assert still.truth.value(still.truth.oracle()) == pytest.approx(still.truth.value(still.truth.uniform()), abs=1e-12)
    assert still.truth.logged.std(axis=0).min() > 0.01


def test_effects_differ_by_stage_and_by_how_the_topic_fits(worlds: list[JourneyWorld]) -> None:
    truth = worlds[0].truth
    call, mail, fits = truth.effect[:, 0], truth.effect[:, 1], truth.match[:, 1]
    purchase, need = truth.stage == STAGES.index("purchase"), truth.stage == STAGES.index("need")
    assert call[purchase].mean() > 0.15
    assert call[need].mean() < 0.0
    assert mail[need & (fits > 0.9)].mean() > 0.1
    assert mail[need & (fits < 0.1)].mean() < -0.01


def test_a_confounded_log_misleads_by_what_the_truth_states(
    worlds: list[JourneyWorld], confounded: list[JourneyWorld]
) -> None:
    """Who was acted on would have ordered more anyway: the plain difference is too high, and by how much is known."""
    scores = []
    for lived in confounded:
        truth = lived.truth
        assert (truth.naive_difference - truth.average_effect > 0.02).all()
        for column in (1, 2):
            acted, idle = truth.ordered[truth.action == column], truth.ordered[truth.action == 0]
            spread = np.sqrt(acted.var() / len(acted) + idle.var() / len(idle))
            found = acted.mean() - idle.mean()
            scores.append(float((found - truth.naive_difference[column - 1]) / spread))
            assert found - truth.average_effect[column - 1] > -3 * spread
    _look_standard_normal(scores)
    bias, clean = (
        np.mean([lived.truth.naive_difference - lived.truth.average_effect for lived in each], axis=0)
        for each in (confounded, worlds)
    )
    assert (bias > clean + 0.02).all()


def test_a_hidden_need_is_hidden(confounded: list[JourneyWorld]) -> None:
    """Neither stage nor interest nor the past tells of it; only the log did, and the outcome does."""
    truth = confounded[0].truth
    for shown in (truth.stage == 3, truth.match[:, 1] > 0.5, np.roll(truth.ordered, 1), truth.contact % 2 == 0):
        r = np.corrcoef(truth.hidden, shown)[0, 1]
        assert abs(r) < 4 / np.sqrt(len(truth))
    assert np.corrcoef(truth.hidden, truth.p0)[0, 1] > 0.3


def test_the_oracle_is_best_and_much_of_its_gain_can_be_had_from_touchpoints_alone(worlds: list[JourneyWorld]) -> None:
    """A rule of thumb - what was typical last, which product most - gets most of what the truth would."""
    shares = []
    for lived in worlds[:6]:
        truth = lived.truth
        even, best = truth.value(truth.uniform()), truth.value(truth.oracle())
        assert best > even + 0.08
        assert best >= max(truth.value(truth.always(name)) for name in truth.actions)
        assert best >= truth.value(truth.logged) > truth.value(truth.always("do_nothing"))
        shares.append((truth.value(_by_hand(lived)) - even) / (best - even))
        constant = max(truth.value(truth.always(name)) for name in truth.actions)
        assert constant < even + 0.6 * (best - even)
    assert np.mean(shares) > 0.75


def test_stages_can_be_told_from_what_contacts_did_last(worlds: list[JourneyWorld]) -> None:
    for lived in worlds[:4]:
        guessed, _ = _guess(lived)
        assert np.mean(guessed == lived.truth.stage) > 0.65


def _by_hand(lived: JourneyWorld) -> NDArray[np.int64]:
    stage, product = _guess(lived)
    asks, buys = (np.isin(stage, [STAGES.index(name) for name in names]) for names in (_ASKS, _BUYS))
    return np.where(asks, 2 + product, np.where(buys, 1, 0))


def _guess(lived: JourneyWorld) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Guess the stage and the product of interest at each decision, from the touchpoints before it."""
    touchpoints, truth = lived.as_touchpoints(), lived.truth
    typical = {
        "search": 1, "price_list": 2, "download": 2, "demo_request": 2, "quote_request": 3, "order": 3,
        "service_search": 4, "support_ticket": 4, "contract_view": 5,
    }  # fmt: skip
    assert set(FIRST_DONE[1:]) <= typical.keys()
    means = np.array([typical.get(kind, 0) for kind in touchpoints.kinds])
    stage, product = np.zeros((2, len(truth)), dtype=np.int64)
    for i, (contact, at) in enumerate(zip(truth.contact.tolist(), truth.decided_at.tolist(), strict=True)):
        stage[i], product[i] = _guess_one(touchpoints, contact, at, means)
    return stage, product


def _guess_one(touchpoints: Touchpoints, contact: int, at: int, means: NDArray[np.int64]) -> tuple[int, int]:
    begin, end = touchpoints.start[contact], touchpoints.start[contact + 1]
    end = begin + np.searchsorted(touchpoints.occurred_at[begin:end], at)
    recent = touchpoints.occurred_at[begin:end] > at - 35 * DAY
    said = means[touchpoints.kind[begin:end][recent]]
    told = said[said > 0]
    topics = touchpoints.topic[touchpoints.topic_start[begin] : touchpoints.topic_start[end]]
    products = np.bincount(topics[-12:], minlength=len(PRODUCTS) + 1)[: len(PRODUCTS)]
    return int(told[-1]) if len(told) else int(len(said) > 3), int(products.argmax())


def test_values_take_chances_or_columns_of_all_decisions_or_some(worlds: list[JourneyWorld]) -> None:
    truth = worlds[0].truth
    best = truth.chance.argmax(axis=1)
    assert truth.value(best) == truth.value(truth.oracle())
    later = truth.decided_at > np.median(truth.decided_at)
    assert truth.value(best[later], later) == pytest.approx(truth.chance[later].max(axis=1).mean())
    assert truth.rows_of([worlds[0].decisions[7].decision_id]).tolist() == [7]
    free = truth.worth(np.zeros(len(truth), dtype=np.int64))
    assert free == pytest.approx((truth.p0 * truth.order_value).mean())
    mean_value = np.mean([row.value for lived in worlds for row in lived.touchpoints if row.kind == "order"])
    expected = np.concatenate([lived.truth.order_value[lived.truth.ordered] for lived in worlds]).mean()
    assert mean_value == pytest.approx(expected, rel=0.06)
