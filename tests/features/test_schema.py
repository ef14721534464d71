import pytest

from features.rows.schema import RECORDS, TABLES, TOUCHPOINTS, SchemaError


def test_every_missing_column_is_named_with_the_likely_one() -> None:
    with pytest.raises(SchemaError) as caught:
        TOUCHPOINTS.check(["Identity", "occured_at", "colour"], where="a.csv")
    identity, occurred_at, kind = caught.value.complaints
    assert "--rename Identity=identity" in identity
    assert "--rename occured_at=occurred_at" in occurred_at
    assert "'kind'" in kind
    assert "colour" in kind


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_the_required_columns_are_enough(table) -> None:
    table.check([*(c.name for c in table.columns if c.required), *(names[0] for names in table.either)], where="x")


def test_an_asset_belongs_to_an_identity_or_an_account() -> None:
    TABLES["assets"].check(["asset_id", "account"], where="x")
    with pytest.raises(SchemaError, match="'identity' or 'account'"):
        TABLES["assets"].check(["asset_id"], where="x")


def test_a_nearly_right_optional_column_is_doubted_and_others_are_not() -> None:
    (sentence,) = TOUCHPOINTS.doubtful(["identity", "chanel", "url", "action"])
    assert "--rename chanel=channel" in sentence


def test_names_are_unique_and_records_are_tables() -> None:
    for table in TABLES.values():
        assert len(set(table.names)) == len(table.names)
        assert table.key in table.names
    assert set(RECORDS) < set(TABLES)
