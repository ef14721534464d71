"""Claims about what the numbers of accounts mean: every column equals an independent formulation in SQL."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import ACCOUNT
from features.times import DAY
from tests.features.account_worlds import account_matrix, buying_world

SQL = Path(__file__).with_name("account_oracle.sql").read_text()


def asked_of_sql(rows, known, asked):
    """Every column by name, as the SQL has it; NaN where it has NULL."""
    db = duckdb.connect()
    db.execute("SET threads = 1")
    names = (
        "identity ts id kind channel direction topics value currency own_margin duration decision action rest".split()
    )
    db.register(
        "raw", pa.table({name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)})
    )
    db.execute(
        "CREATE TABLE ev AS SELECT identity, ts, id, kind, channel, decision, "
        "coalesce(direction = 'outbound', kind IN ('email_sent', 'call_made')) AS outbound, "
        "NOT outbound AND kind = 'order' AS money, NOT outbound AND kind = 'return' AS returned, "
        "coalesce(value * CASE WHEN currency = 'USD' THEN 0.5 ELSE 1.0 END, 0) AS amount, "
        "list_distinct(coalesce(CAST(CAST(topics AS JSON) AS TEXT[]), [])) AS topics FROM raw"
    )
    db.register(
        "known",
        pa.table(
            {
                "identity": [name for name, _, _ in known],
                "known_at": [at for _, at, _ in known],
                "says_account": ["account" in body for _, _, body in known],
                "account": pa.array([body.get("account") for _, _, body in known], pa.string()),
                "says_role": ["role" in body for _, _, body in known],
                "role": pa.array([body.get("role") for _, _, body in known], pa.string()),
            }
        ),
    )
    db.register(
        "asked",
        pa.table(
            {
                "row": range(len(asked)),
                "identity": [name for name, _ in asked],
                "as_of": [as_of for _, as_of in asked],
            }
        ),
    )
    *parts, last = SQL.split(";\n\n")
    for part in parts:
        db.execute(part)
    db.execute(last)
    table = db.execute("SELECT * FROM per_account").fetchnumpy()
    return {
        name: np.ma.filled(np.ma.asarray(values, dtype=object), np.nan).astype(float) for name, values in table.items()
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_column_equals_the_sql(seed):
    rows, known, asked = buying_world(seed)
    expected = asked_of_sql(rows, known, asked)
    X = account_matrix(rows, known, asked)
    assert set(expected) - {"row"} == {feature.name for feature in ACCOUNT}
    for i, feature in enumerate(ACCOUNT):
        np.testing.assert_allclose(X[:, i], expected[feature.name], rtol=1e-5, atol=1e-6, err_msg=feature.name)
        assert np.nanmin(X[:, i]) < np.nanmax(X[:, i]), f"{feature.name} is always the same and so not tested"


def test_the_world_has_every_case():
    rows, known, asked = buying_world(1)
    X = account_matrix(rows, known, asked)
    belongs = ~np.isnan(X[:, 0])
    assert 0.3 < belongs.mean() < 0.95
    assert (X[belongs, 0] == 1).any() and (X[belongs, 0] > 5).any()
    moved = {name for name, _, _ in known if sum(entry[0] == name and "account" in entry[2] for entry in known) > 1}
    assert len(moved) > 10
    assert {name for name, _, _ in known} - {r[0] for r in rows}, "contacts without a touchpoint"
    assert len({as_of % DAY for _, as_of in asked}) > 1
