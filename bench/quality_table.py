"""One line of the table of what predictions and choices are worth, and the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """One figure beside what the rules reach, what must hold (floor) and where we are going (aim).

    Less is better where the aim lies below the floor, or ``is_most`` says so. ``interval`` is two-sided, 95 %; None
    where a figure has none. A figure without a floor is shown for comparison.
    """

    what: str
    value: float
    interval: tuple[float, float] | None = None
    rules: str = ""
    floor: float | None = None
    aim: float | None = None
    note: str = ""
    is_most: bool = False

    @property
    def less_is_better(self) -> bool:
        """Whether the floor is the most there may be."""
        return self.is_most or (self.floor is not None and self.aim is not None and self.aim < self.floor)

    @property
    def is_kept(self) -> bool:
        """Whether the floor holds; NaN keeps none."""
        if self.floor is None:
            return True
        return self.value <= self.floor if self.less_is_better else self.value >= self.floor

    @property
    def to_aim(self) -> float | None:
        """How much better it must become to reach the aim, 0 where it is reached; None without an aim."""
        if self.aim is None:
            return None
        return max(0.0, self.value - self.aim if self.less_is_better else self.aim - self.value)


def table(found: Iterable[Found]) -> str:
    """Write all lines, with notes below.

    Examples
    --------
    >>> print(table([Found("AUC", 0.84, (0.82, 0.86), "recency .77", 0.82, 0.865)]))
    what       value        95 % interval  rules reach      floor     aim  to the aim
    AUC        0.840     0.820 to  0.860  recency .77   >=  0.820   0.865       0.025  ok
    """
    found = list(found)
    wide = max([len(one.what) for one in found] + [8])
    rules = max([len(one.rules) for one in found] + [12])
    head = f"{'what':{wide}} {'value':>7} {'95 % interval':>20}  {'rules reach':{rules}} {'floor':>9} {'aim':>7}"
    lines = [f"{head} {'to the aim':>11}"]
    for one in found:
        interval = "" if one.interval is None else f"{one.interval[0]:.3f} to {one.interval[1]:6.3f}"
        sign = "<=" if one.less_is_better else ">="
        floor = "" if one.floor is None else f"{sign} {one.floor:6.3f}"
        aim, away = ("", "") if one.aim is None else (f"{one.aim:.3f}", f"{one.to_aim:.3f}")
        kept = "" if one.floor is None else ("ok" if one.is_kept else "MISSED")
        row = f"{one.what:{wide}} {one.value:7.3f} {interval:>20}  {one.rules:{rules}} {floor:>9} {aim:>7} {away:>11}"
        lines.append(f"{row}  {kept}".rstrip())
    lines += [f"  {one.what}: {one.note}" for one in found if one.note]
    return "\n".join(lines)
