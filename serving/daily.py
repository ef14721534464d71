"""Once a day, in child processes: what is too old goes, the pipeline is counted, what was served is judged.

Once a week it is foreseen what is to come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from features.times import DAY, iso, parse_time
from models.daily_log import DailyLog
from models.forecast_log import ForecastLog
from models.local import local_champion
from serving.upkeep import Chore, Upkeep

FIRST = 60.0
BETWEEN = 600.0
_FORECAST_EVERY = 7 * DAY
_SPLIT = ("--by", "topic,owner,partner")
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
    log, forecasts = DailyLog.of(folder), ForecastLog.of(folder)

    def is_unreported(now: int, begun: int | None) -> bool:
        last = log.last()
        return last is None or last["day"] < _day(now)

    def is_unforeseen(now: int, begun: int | None) -> bool:
        # Without a model nothing can be foreseen, and to say so every day helps nobody.
        return _is_another_day(now, begun) and local_champion(folder) is not None and _is_old(forecasts.made(), now)

    forget = Chore("retention run", "what is too old could not be removed", _is_another_day, ("--json",))
    join = Chore("identities accounts", "mail domains joined nobody", _is_another_day, ("--json",))
    pipeline = Chore("pipeline", "contacts by stage could not be counted", _is_another_day, ("--json",))
    foresee = Chore("forecast", "nothing could be foreseen", is_unforeseen, (*_SPLIT, "--json"))
    report = Chore("evaluate daily", "today's comparisons could not be made", is_unreported, ("--keep", "--json"))
    chores = (forget, *([join] if joins else []), foresee, pipeline, report)
    return Upkeep(config, clock, chores, first, between, _AFTER_FAILURE)


def _is_old(forecasts: Sequence[Mapping[str, Any]], now: int) -> bool:
    return all(parse_time(str(told["made_at"])) <= now - _FORECAST_EVERY for told in forecasts)


def _is_another_day(now: int, begun: int | None) -> bool:
    return begun is None or _day(begun) != _day(now)


def _day(us: int) -> str:
    return iso(us)[:10]
