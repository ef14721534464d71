"""Once a day, in child processes: what is too old goes, and what was served is compared with other ways of choosing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from features.times import iso
from models.daily_log import DailyLog
from serving.upkeep import Chore, Upkeep

FIRST = 60.0
BETWEEN = 600.0
_AFTER_FAILURE = 6
"""An empty store has nothing to report for a while."""


def daily(
    config: str | None,
    folder: Path,
    clock: Callable[[], int],
    first: float = FIRST,
    between: float = BETWEEN,
    *,
    joins: bool = False,
) -> Upkeep:
    """Return what has today reported where it has not been yet; first of all, what is too old goes.

    The work needs what training needs and seconds of a processor, so that it is done beside this process.

    Parameters
    ----------
    joins
        Whether mail domains join contacts to accounts (``accounts.email_domains``).
    """
    log = DailyLog.of(folder)

    def is_unreported(now: int, begun: int | None) -> bool:
        last = log.last()
        return last is None or last["day"] < _day(now)

    forget = Chore("retention run", "what is too old could not be removed", _is_another_day, ("--json",))
    join = Chore("identities accounts", "mail domains joined nobody", _is_another_day, ("--json",))
    report = Chore("evaluate daily", "today's comparisons could not be made", is_unreported, ("--keep", "--json"))
    chores = (forget, join, report) if joins else (forget, report)
    return Upkeep(config, clock, chores, first, between, _AFTER_FAILURE)


def _is_another_day(now: int, begun: int | None) -> bool:
    return begun is None or _day(begun) != _day(now)


def _day(us: int) -> str:
    return iso(us)[:10]
