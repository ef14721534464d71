"""Claims about what the numbers mean: every column equals an independent formulation in SQL."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import OVERALL, OWN, PER_CHANNEL, PER_KIND, PER_TOPIC
from features.feature_set import REST
from features.matrix import History
from features.touchpoints.touchpoints import Touchpoints
from tests.features.worlds import FEATURES, RULES, odd_world

SQL = Path(__file__).with_name("oracle.sql").read_text()
BLOCKS = {"per_kind": PER_KIND, "per_channel": PER_CHANNEL, "per_topic": PER_TOPIC, "overall": OVERALL, "own": OWN}


def asked_of_sql(rows, asked, own):
    """Every column by name, as the SQL has it; NaN where it has NULL."""
    db = duckdb.connect()
    db.execute("SET threads = 1")
    names = (
        "identity ts id kind channel direction topics value currency own_margin duration decision action rest".split()
    )
    raw = pa.table({name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)})
    weights = pa.table(
        {
            "kind": list(FEATURES.points.kinds),
            "points": list(FEATURES.points.kinds.values()),
            "once": [kind in FEATURES.points.once for kind in FEATURES.points.kinds],
        }
    )
    db.register("raw", raw)
    db.register("weights", weights)
    db.execute(
        "CREATE TABLE ev AS SELECT identity, ts, id, kind, channel, decision, action, "
        "coalesce(direction = 'outbound', kind IN ('email_sent', 'call_made')) AS outbound, "
        "NOT outbound AND kind = 'order' AS money, NOT outbound AND kind = 'return' AS returned, "
        "CASE WHEN currency = 'USD' THEN 0.5 ELSE 1.0 END AS rate, coalesce(value * rate, 0) AS amount, "
        "coalesce(own_margin * rate, amount * 0.3) AS margin, "
        "CASE WHEN kind = 'page_view' AND duration > 0 THEN duration END AS dwell, "
        "list_distinct(coalesce(CAST(CAST(topics AS JSON) AS TEXT[]), [])) AS topics FROM raw"
    )
    asked_table = pa.table(
        {
            "row": range(len(asked)),
            "identity": [name for name, _ in asked],
            "as_of": [as_of for _, as_of in asked],
            "type": own.type,
            "topics": [list(topics) for topics in own.topics],
        }
    )
    db.register("asked", asked_table)
    for table in ("kind", "channel", "topic"):
        db.register(f"{table}_slots", pa.table({"name": [*getattr(FEATURES, table + "s"), REST]}))
    db.execute(SQL)
    found: dict[str, np.ndarray] = {}
    for block, features in BLOCKS.items():
        table = db.execute(f"SELECT * FROM {block} ORDER BY row").fetchnumpy()
        columns: dict[str, Any] = {
            name: np.ma.filled(np.ma.asarray(values, dtype=object), np.nan) for name, values in table.items()
        }
        for feature in features:
            for name in np.unique(columns["name"]) if "name" in columns else [None]:
                which = columns["name"] == name if name else slice(None)
                found[feature.name.format(name)] = columns[feature.name][which].astype(float)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_every_column_equals_the_sql(seed):
    rows, asked, own = odd_world(seed)
    expected = asked_of_sql(rows, asked, own)
    history = History(Touchpoints.from_rows(rows, RULES), FEATURES)
    contact = np.array([history.contact(name) for name, _ in asked])
    X = history.matrix(contact, np.array([as_of for _, as_of in asked]), own=own)
    beside = {"own_type", "own_channel", "own_number_discount"}
    assert set(expected) == set(FEATURES.columns) - beside
    for i, name in enumerate(FEATURES.columns):
        if name in beside:
            continue
        np.testing.assert_allclose(X[:, i], expected[name], rtol=1e-5, atol=1e-6, err_msg=name)
        assert np.nanmin(X[:, i]) < np.nanmax(X[:, i]), f"{name} is always the same and so not tested"
