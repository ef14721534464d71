"""The points table as it stands in the file; ``[points]``."""

from __future__ import annotations

from collections.abc import Mapping

from features.frozen import Frozen
from models.points_table import FitPoints, PointsTable, Threshold
from nba.settings import values
from nba.settings.known import Known
from nba.settings.table import Table


def read_points(table: Table, known: Known) -> PointsTable:
    """Read ``[points]`` with its further schemes."""
    schemes = {
        name: _read_table(child, known, Frozen()) for name, child in table.child("schemes").children(values.text)
    }
    return _read_table(table, known, Frozen(schemes))


def _read_table(table: Table, known: Known, schemes: Mapping[str, PointsTable]) -> PointsTable:
    shown = PointsTable()
    kinds = table.child("kinds").entries(values.text, values.number()) if "kinds" in table else shown.kinds
    table.knows("kinds", "fit")
    points = PointsTable(
        kinds=Frozen(kinds),
        once=table.take("once", _once(kinds), shown.once),
        half_life_us=table.take("half_life", values.half_life, shown.half_life_us),
        fit=_read_fit(table.child("fit"), known) if "fit" in table else None,
        thresholds=tuple(_read_threshold(row, known) for row in table.rows("thresholds")),
        schemes=schemes,
    )
    table.close()
    return points


def _once(kinds: Mapping[str, float]) -> values.Parse[tuple[str, ...]]:
    def parse(value: object) -> tuple[str, ...]:
        found = values.texts(value)
        kind = values.among("kind with points", tuple(kinds))
        return tuple(kind(name) for name in found)

    return parse


def _read_fit(table: Table, known: Known) -> FitPoints:
    trait = table.require("trait", known.trait, "", 'name the trait that tells the fit, such as "product_fit"')
    points = table.child("points").entries(values.text, values.number())
    table.close()
    if table.is_sound and "points" not in table:
        table.complain("points", "is missing; say the points of each value, such as { A = 100, B = 50 }")
    return FitPoints(trait, Frozen(points))


def _read_threshold(table: Table, known: Known) -> Threshold:
    threshold = Threshold(
        actions=table.require(
            "actions", values.some_of("action", known.actions), (), "list the actions this total calls for"
        ),
        from_=table.take("from", values.number(), None),
        below=table.take("below", values.number(), None),
    )
    table.close()
    if table.is_sound and "from" not in table and "below" not in table:
        table.complain("", "needs `from`, `below` or both; say for which totals it holds")
    from_, below = threshold.from_, threshold.below
    if from_ is not None and below is not None and from_ >= below:
        table.complain("below", "does not lie above `from`; no total could be between them")
    return threshold
