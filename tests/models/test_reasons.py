"""Claims about reasons: they add up by meaning, they say what is, and nothing that a reader cannot understand."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import CATALOGUE
from features.feature_set import FeatureSet, TraitColumn
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from models.reasons.meanings import columns_of, meaning_of
from models.reasons.reasons import LEAST, by_meaning, reasons
from models.reasons.telling import Telling
from models.saying.tongues import say
from tests.german import english_in

AS_OF = 20_000 * DAY
RULES = TouchpointRules(outbound=("email_sent",))
FEATURES = FeatureSet(
    kinds=("download", "order", "email_sent"),
    channels=("web",),
    topics=("pumps",),
    rules=RULES,
    traits=(
        TraitColumn("industry", "category", ("food", "metal")),
        TraitColumn("contract_ends_on", "date"),
        TraitColumn("is_company", "boolean"),
        TraitColumn("size", "number"),
    ),
    account=True,
    stage=True,
    own=True,
    types=("campaign_a",),
    own_channels=("mail",),
    numbers=("n_coupons",),
)
COLUMNS = columns_of(FEATURES)
AT = {column.name: i for i, column in enumerate(COLUMNS)}


def told(touchpoints=None, **values):
    row = dict.fromkeys(FEATURES.columns, math.nan)
    row |= {name: 0.0 for name in row if re.search(r"(^|_)n_|revenue|active_days|dwell", name)}
    return Telling(row | values, FEATURES, AS_OF, touchpoints, "evaluate")


def said(telling, **contributions):
    added = np.zeros(len(COLUMNS))
    for name, value in contributions.items():
        added[AT[name]] = value
    return reasons(added, COLUMNS, telling)


def text(telling, name):
    (reason,) = said(telling, **{name: 1.0})
    return reason.text


def test_every_column_has_a_meaning_in_the_order_of_the_matrix():
    assert tuple(column.name for column in COLUMNS) == FEATURES.columns
    assert all(str(column.means) for column in COLUMNS)


def test_every_feature_of_the_catalogue_is_given_a_meaning_of_its_own_kind():
    """A new feature falls among those whose names begin alike; whoever adds one looks here whether that is right."""
    for feature in CATALOGUE:
        if "{}" not in feature.name and not feature.name.startswith("own_"):
            expected = feature.name.startswith("account")
            assert meaning_of(feature).what.startswith("account") == expected, feature.name


def test_what_columns_of_one_meaning_add_is_added_up():
    telling = told(recency_kind_download_days=2.0, n_kind_download_7d=3.0, n_kind_download_30d=9.0)
    found = said(telling, n_kind_download_7d=0.5, n_kind_download_30d=0.25, faded_kind_download=-0.125)
    assert [(r.text, r.contribution) for r in found] == [("3 downloads in the last 7 days", 0.625)]


def test_the_strongest_column_towards_the_sum_gives_the_words():
    telling = told(recency_kind_download_days=2.0, n_kind_download_7d=3.0, n_kind_download_30d=9.0)
    assert said(telling, n_kind_download_7d=0.1, n_kind_download_30d=0.3)[0].text == "9 downloads in the last 30 days"


@pytest.mark.parametrize(
    ("values", "column", "words"),
    [
        ({"recency_kind_order_days": 1.5, "n_kind_order_7d": 1}, "n_kind_order_7d", "1 order in the last 7 days"),
        ({"recency_kind_order_days": 45}, "n_kind_order_30d", "no order for 6 weeks"),
        ({}, "n_kind_order_30d", "no order so far"),
        (
            {"recency_kind_order_days": 45, "gap_kind_order_days": 9},
            "gap_ratio_kind_order",
            "last order 6 weeks ago, usually every 9 days",
        ),
        ({"recency_kind_order_days": 0.2}, "recency_kind_order_days", "order in the last 24 hours"),
        (
            {"recency_kind_email_sent_days": 3, "n_kind_email_sent_30d": 4},
            "n_kind_email_sent_30d",
            "email sent 4 times in the last 30 days",
        ),
        (
            {"recency_channel_web_days": 9, "n_channel_web_30d": 2},
            "n_channel_web_30d",
            "2 touchpoints on web in the last 30 days",
        ),
        (
            {"recency_topic_pumps_days": 20, "trend_topic_pumps": 0.4},
            "trend_topic_pumps",
            "interest in pumps is falling, last seen 3 weeks ago",
        ),
        (
            {"recency_inbound_days": 40, "gap_mean_days": 12},
            "gap_ratio",
            "last active 6 weeks ago, usually every 12 days",
        ),
        ({"recency_inbound_days": 5}, "gap_ratio", "active only once, 5 days ago"),
        ({"change_30d": -5}, "change_30d", "5 touchpoints fewer in the last 30 days than in the 30 before"),
        ({"recency_order_days": 10, "revenue_90d": 1234.5}, "revenue_90d", "spent 1,234 EUR in the last 90 days"),
        ({"recency_order_days": 200}, "n_orders_90d", "no purchase for 7 months"),
        ({"n_answered_365d": 1}, "n_answered_365d", "answered us once in the last 365 days"),
        ({"trait_industry": 1}, "trait_industry", "industry is metal"),
        ({"trait_industry": 2}, "trait_industry", "industry is a rare one"),
        ({}, "trait_industry", "industry is not known"),
        ({"until_contract_ends_on_days": 40.2}, "until_contract_ends_on_days", "contract ends on in 41 days"),
        ({"trait_is_company": 0}, "trait_is_company", "is company: no"),
        ({"trait_size": 1200}, "trait_size", "size is 1,200"),
        ({"stage": 2}, "stage", "in the stage evaluate"),
        ({"account_n_others_active_30d": 1}, "account_n_others_active_30d", "1 colleague active in the last 30 days"),
        ({"own_match_n_90d": 12}, "own_match_n_90d", "12 touchpoints about its topics in the last 90 days"),
        (
            {"own_type_sent": 5, "own_type_answered": 2, "own_type_rate": 0.4},
            "own_type_rate",
            "answered 2 of 5 earlier actions of this type",
        ),
        ({"own_type": 0}, "own_type", "it is campaign a"),
        ({"own_number_n_coupons": 16}, "own_number_n_coupons", "its n coupons is 16"),
    ],
)
def test_values_are_said_in_plain_words(values, column, words):
    assert text(told(**values), column) == words


def touchpoints(*days, kind="download", topic='["pumps/industrial"]'):
    rows = [
        ("crm:1", AS_OF - int(d * DAY), f"t{i}", kind, "web", None, topic, None, None, None, None, None, None, None)
        for i, d in enumerate(sorted(days, reverse=True))
    ]
    return Touchpoints.from_rows(rows, RULES)


def test_a_topic_is_said_by_what_was_done_about_it():
    telling = told(touchpoints(1, 2, 5, 60), recency_topic_pumps_days=1.0)
    assert text(telling, "faded_topic_pumps_7d") == "3 downloads about pumps in the last 7 days"
    telling = told(touchpoints(4), recency_topic_pumps_days=4.0)
    assert text(telling, "faded_topic_pumps_7d") == "downloaded something about pumps 4 days ago"


def test_what_happened_at_the_moment_or_later_is_not_told():
    telling = told(touchpoints(0, -1, -2), recency_topic_pumps_days=400.0)
    assert text(telling, "faded_topic_pumps_7d") == "last interest in pumps 13 months ago"


def test_what_cannot_be_said_is_left_to_the_next_column_of_its_meaning():
    telling = told(interest_total=12.3, n_topics_ever=7.0)
    found = said(telling, interest_total=1.0, n_topics_ever=0.1)
    assert [r.text for r in found] == ["7 topics so far"]


NAMES = (
    "download", "order", "email sent", "web", "pumps", "industry", "food", "metal", "contract ends on", "is company",
    "size", "campaign a", "mail", "n coupons", "evaluate",
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([None, touchpoints(1, 2, 5, 60), touchpoints(4, kind="demo_tour")]))
def test_in_german_any_row_gives_words_and_no_english_ones(seed, history):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(len(COLUMNS)) < 0.3, np.nan, np.round(rng.exponential(20.0, len(COLUMNS)), 1))
    telling = Telling(dict(zip(FEATURES.columns, values.tolist(), strict=True)), FEATURES, AS_OF, history, "evaluate")
    for reason in reasons(rng.normal(0, 0.5, len(COLUMNS)), COLUMNS, telling):
        german = say(reason.said, "de")
        assert german and not english_in(german, (*NAMES, "demo tour")), german


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_row_gives_words_without_names_of_columns_and_loses_no_contribution(seed):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(len(COLUMNS)) < 0.3, np.nan, np.round(rng.exponential(20.0, len(COLUMNS))))
    added = np.where(rng.random(len(COLUMNS)) < 0.5, 0.0, rng.normal(0, 0.2, len(COLUMNS)))
    telling = Telling(dict(zip(FEATURES.columns, values.tolist(), strict=True)), FEATURES, AS_OF, None, None)
    found = reasons(added, COLUMNS, telling)
    sizes = [abs(r.contribution) for r in found]
    assert sizes == sorted(sizes, reverse=True) and (not sizes or min(sizes) >= LEAST)
    for reason in found:
        assert not re.search(r"_|\bnan\b|\d+d\b|faded|zscore|\(other\)|-\d", reason.text), reason.text
    sums: dict[str, float] = {}
    for column, value in zip(COLUMNS, added, strict=True):
        sums[str(column.means)] = sums.get(str(column.means), 0.0) + value
    for reason in found:
        assert reason.contribution == pytest.approx(sums[reason.about])
    assert sum(added) == pytest.approx(sum(sums.values()))


def test_a_reason_read_from_a_trait_names_it_so_that_it_can_be_kept_back():
    (reason,) = said(told(trait_industry=0.0), trait_industry=0.4)
    assert reason.trait == "industry"
    assert all(r.trait is None for r in said(told(recency_inbound_days=3.0), recency_inbound_days=0.4))


def test_shares_by_meaning_sum_to_those_of_the_columns():
    rng = np.random.default_rng(0)
    shares = dict(zip(FEATURES.columns, rng.dirichlet(np.ones(len(COLUMNS))).tolist(), strict=True))
    groups = by_meaning(shares, COLUMNS)
    assert sum(share for _, share, _ in groups) == pytest.approx(1.0)
    assert [share for _, share, _ in groups] == sorted((share for _, share, _ in groups), reverse=True)
    assert sorted(name for _, _, names in groups for name in names) == sorted(FEATURES.columns)


def test_words_follow_the_base_currency():
    dollars = replace(FEATURES, rules=replace(RULES, base="USD"))
    telling = replace(told(recency_order_days=5.0, revenue_90d=50.0), features=dollars)
    assert said(telling, revenue_90d=1.0)[0].text == "spent 50 USD in the last 90 days"
