"""A day planned: everybody gathered, the limits laid out, the worklist solved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nba.actions import Catalogue
from nba.gates.capacity import window
from nba.partners.visibility import Viewer
from nba.plan.moment import PlanDay
from nba.plan.plan import Worklist
from nba.plan.rules import LEADS, NOBODY, SEATS, UNIT, Places, Pool, Rules, Wanted, rules_of
from nba.settings import Settings
from nba.tables.tables import Partner
from training.everybody.around import Taken
from training.everybody.everybody import Everybody
from training.everybody.weighed import map_weighed
from training.plan.exact import best_worklist
from training.plan.gathered import TERMS, Gathered
from training.plan.pool import Asked, gather, open_settings

if TYPE_CHECKING:
    from models.belief import Belief


@dataclass(frozen=True)
class PlannedDay:
    """What is to be done on a day, and what it was chosen from.

    ``done`` says which candidates of ``gathered`` are done; ``codes`` names accounts, owners, partners and events by
    code.
    """

    day: PlanDay
    viewer: Viewer
    catalogue: Catalogue
    gathered: Gathered
    codes: dict[str, list[str]]
    pool: Pool
    rules: Rules
    worklist: Worklist
    done: NDArray[np.bool_]

    @property
    def numbers(self) -> NDArray[np.float64]:
        """Priority, terms and opening of each candidate."""
        return self.gathered.numbers[0]


def gather_day(
    everybody: Everybody,
    settings: Settings,
    belief: Belief | None,
    day: PlanDay,
    viewer: Viewer,
    *,
    advance: Callable[[int], None],
) -> Gathered:
    """Weigh everybody's actions and keep what may be done on a day.

    Parameters
    ----------
    everybody
        As of ``day.as_of``.
    advance
        Told of contacts as they are weighed.
    """
    asked = Asked(day, settings.contact_policy, viewer, "points" if belief is None else belief.serves)
    gathered = Gathered()
    parts = map_weighed(everybody, open_settings(settings), belief, partial(gather, asked=asked), advance=advance)
    for part in parts:
        gathered.add(part)
    return gathered.in_order()


def plan_day(everybody: Everybody, settings: Settings, gathered: Gathered, day: PlanDay, viewer: Viewer) -> PlannedDay:
    """Plan a day for everybody at once; who looks at it sees a part of it, and the limits are kept by the whole.

    Parameters
    ----------
    gathered
        By ``gather_day`` for the same day and viewer.
    """
    catalogue = Catalogue.of(settings)
    codes = {name: _names(getattr(gathered, name)) for name in ("account", "owner", "partner")}
    tables = everybody.surrounding.tables
    events = {name: event.seats for name, event in sorted(tables.events.items())}
    codes["event"] = list(events)
    places = (_seats(gathered, list(events.values())), _leads(gathered, catalogue, codes["partner"], tables.partners))
    pool = _pool(gathered, codes, catalogue, everybody.surrounding.taken, day, places)
    rules = rules_of(catalogue, pool, settings.plan.budget)
    worklist = best_worklist(rules.day)
    return PlannedDay(day, viewer, catalogue, gathered, codes, pool, rules, worklist, rules.in_pool(worklist.chosen))


def _seats(gathered: Gathered, seats: Sequence[int | None]) -> Places:
    """Return the seats that events have left."""
    room = [(each or 0) - gathered.seated.get(place, 0) for place, each in enumerate(seats)]
    return Places(SEATS, gathered.event[0], np.array(room, dtype=np.int64), binds_all=True)


def _leads(gathered: Gathered, catalogue: Catalogue, names: Sequence[str], partners: Mapping[str, Partner]) -> Places:
    """Return how many leads partners can still take in hand; whom they have in hand already takes no place."""
    held = Counter(gathered.in_hand)
    capacity = {name: partners[name].capacity for name in names if name in partners}
    room = [(capacity.get(name) or 0) - held[name] for name in names]
    code = {name: n for n, name in enumerate(names) if capacity.get(name) is not None}
    mine = [
        code.get(name or "", NOBODY) if served and holds != name else NOBODY
        for name, served, holds in zip(gathered.partner, gathered.served, gathered.in_hand, strict=True)
    ]
    by_partner = np.array([False, *(action.executor == "partner" for action in catalogue.actions)])
    row = np.array(mine, dtype=np.int64)[gathered.contact[0]]
    return Places(LEADS, np.where(by_partner[gathered.column[0]], row, NOBODY), np.array(room, dtype=np.int64))


def _pool(
    gathered: Gathered,
    codes: dict[str, list[str]],
    catalogue: Catalogue,
    taken: Taken,
    day: PlanDay,
    places: tuple[Places, ...],
) -> Pool:
    numbers = gathered.numbers[0]
    cost = numbers[:, 1 + TERMS.index("cost")]
    n, policy = len(gathered.names), catalogue.settings.contact_policy
    return Pool(
        contact=gathered.contact[0],
        column=gathered.column[0],
        priority=numbers[:, 0],
        cost=np.round(cost * UNIT).astype(np.int64),
        account=_coded(gathered.account, codes["account"]),
        owner=_coded(gathered.owner, codes["owner"]),
        partner=_coded(gathered.partner, codes["partner"]),
        sent=np.array(gathered.sent, dtype=np.int64).reshape(n, len(policy.caps)),
        today=np.array(gathered.today, dtype=np.int64).reshape(n, len(catalogue.channels)),
        taken=_taken(catalogue, taken, codes, day),
        wanted=tuple(Wanted(contact, room, frozenset(columns)) for contact, room, columns in gathered.wanted),
        places=places,
    )


def _taken(catalogue: Catalogue, taken: Taken, codes: dict[str, list[str]], day: PlanDay) -> dict[tuple[int, int], int]:
    """Count what was taken of every capacity before this day's plan, for everybody it is counted for."""
    found = {}
    timezone = catalogue.settings.contact_policy.timezone
    for column, action in enumerate(catalogue.actions, start=1):
        asked = action.capacity
        if asked is None:
            continue
        since, _ = window(action, asked, day.as_of, timezone)
        if asked.by is None:
            found[column, NOBODY] = taken.count(action.name, since, ("", None))
            continue
        found[column, NOBODY] = taken.count(action.name, since, (asked.by, None))
        for code, name in enumerate(codes[asked.by]):
            found[column, code] = taken.count(action.name, since, (asked.by, name))
    return found


def _names(values: Sequence[str | None]) -> list[str]:
    return sorted({value for value in values if value is not None})


def _coded(values: Sequence[str | None], names: list[str]) -> NDArray[np.int64]:
    code = {name: n for n, name in enumerate(names)}
    return np.array([NOBODY if value is None else code[value] for value in values], dtype=np.int64)
