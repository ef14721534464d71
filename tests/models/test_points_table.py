"""The points table of the sources: its values, and the actions its totals call for."""

import pytest

from models.points_table import PointsTable, Threshold


def test_the_default_is_the_table_of_the_sources() -> None:
    kinds = PointsTable().kinds
    assert (kinds["bounce"], kinds["visit"], kinds["newsletter_signup"]) == (0, 5, 50)
    assert (kinds["newsletter_open"], kinds["download"], kinds["service_call"]) == (50, 100, 250)


@pytest.mark.parametrize(("total", "actions"), [(249.9, ("nurture",)), (250, ("call",)), (-1, ("nurture",))])
def test_a_bound_belongs_to_the_upper_threshold(total: float, actions: tuple[str, ...]) -> None:
    table = PointsTable(thresholds=(Threshold(("nurture",), below=250), Threshold(("call",), from_=250)))
    assert table.actions(total) == actions
