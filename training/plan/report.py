"""What a day's plan comes to: how many of what, what limits cost, and what removed the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.compiled import I64
from features.times import iso
from nba.output import Output
from nba.partners.visibility import OWNER_SIDE
from nba.plan.plan import Limits, kept_out, one_more
from nba.plan.rules import BUDGET, CAPACITY, LEADS, NOBODY, SEATS, UNIT
from training.plan.planned_day import PlannedDay
from training.plan.rows import amounts
from training.plan.together import Together

_WORTH_TELLING = 0.005
_MOST_SLOTS = 10
"""Capacities that are shown as text, those of the largest worth first."""


def report_of(planned: PlannedDay, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sum a plan up for its viewer.

    Amounts are those of the rows that are shown. What limits are worth is the owner's to know, so a partner's report,
    and that of somebody who sells, has no budget, no caps and no capacities.
    """
    found: dict[str, Any] = {
        "date": str(planned.day.day),
        "as_of": iso(planned.day.as_of),
        "planned": len(rows),
        "contacts": len({row["contact_id"] for row in rows}),
        "priority": sum(row["priority"] or 0.0 for row in rows),
        "cost": sum(row["cost"] or 0.0 for row in rows),
        "by_action": amounts(rows, "action"),
        "by_owner": amounts(rows, "owner"),
        "removed": _removed(planned),
    }
    if planned.viewer == OWNER_SIDE:
        found |= _of_all(planned)
    return found


def _of_all(planned: PlannedDay) -> dict[str, Any]:
    worklist, settings = planned.worklist, planned.catalogue.settings
    together = Together(planned)
    is_total = together.may_total
    prices = worklist.prices.get(BUDGET)
    return {
        "not_shown": together.count(),
        "total_priority": worklist.value if is_total else None,
        "bound": worklist.bound if is_total else None,
        "gap": worklist.gap,
        "budget": {
            "limit": settings.plan.budget,
            "used": _money(planned.pool.cost[planned.done]) if is_total else None,
            # Where money is short, its worth says that all of it is spent.
            "one_more_is_worth": None if prices is None or not is_total else float(prices[0] * UNIT),
        },
        **_slots(planned, together),
        "caps": [
            {"rule": name, "one_more_each_is_worth": worth if together.are_enough(together.unseen) else None}
            for name, worth in one_more(planned.rules.day, worklist).items()
        ],
        "kept_out": kept_out(planned.rules.day, worklist.chosen, ~together.unseen[planned.rules.order]),
    }


def _money(cost: NDArray[np.int64]) -> float:
    return float(cost.sum() / UNIT)


def _removed(planned: PlannedDay) -> dict[str, dict[str, int]]:
    """How many contacts lose each action to each rule; rules by how much they remove."""
    totals: Counter[str] = Counter()
    for (_, rule), n in planned.gathered.removed.items():
        totals[rule] += n
    return {
        rule: {a: n for (a, r), n in sorted(planned.gathered.removed.items()) if r == rule}
        for rule, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    }


def _slots(planned: PlannedDay, together: Together) -> dict[str, list[dict[str, Any]]]:
    """Every capacity, event and partner: what was left for today, what is used, what one more slot would bring."""
    named = {CAPACITY: _of_capacity, SEATS: _of_event, LEADS: _of_partner}
    families = [each for each in planned.rules.day.limits if each.name in named]
    rows = [_in_pool(planned, each) for each in families]
    found: dict[str, list[dict[str, Any]]] = {"capacities": [], "events": [], "partners": []}
    for family, row, told in zip(families, rows, together.told(rows), strict=True):
        room = family.room + family.used(planned.rules.placed)
        used = np.bincount(row[planned.done & (row >= 0)], minlength=len(room))
        worth = planned.worklist.prices[family.name]
        for limit in np.unique(row[row >= 0]).tolist():
            kind, names, before = named[family.name](planned, limit)
            is_told = told[limit] and together.may_tell(before, row == limit)
            figures = (max(0, int(room[limit])), int(used[limit]), float(worth[limit])) if is_told else (None,) * 3
            found[kind].append(names | dict(zip(("left", "used", "one_more_is_worth"), figures, strict=True)))
    return found


def _in_pool(planned: PlannedDay, family: Limits) -> I64:
    """Return the limit that each candidate of the pool uses."""
    row = np.full(len(planned.done), NOBODY, dtype=np.int64)
    row[planned.rules.order] = family.row
    return row


_Named = tuple[str, dict[str, Any], int]
"""Where a limit stands in the report, what it is of, and how much of it a single partner's contacts took before."""


def _of_capacity(planned: PlannedDay, limit: int) -> _Named:
    column, code = planned.rules.capacities[limit]
    action = planned.catalogue.action(column)
    by = action.capacity.by if action.capacity is not None else None
    of = None if by is None or code == NOBODY else planned.codes[by][code]
    before = planned.pool.taken.get((column, code), 0) if by == "partner" else 0
    return "capacities", {"action": action.name, "by": by, "of": of}, before


def _of_event(planned: PlannedDay, limit: int) -> _Named:
    return "events", {"event": planned.codes["event"][limit]}, 0


def _of_partner(planned: PlannedDay, limit: int) -> _Named:
    name = planned.codes["partner"][limit]
    return "partners", {"partner": name}, planned.gathered.in_hand.count(name)


def show(report: Mapping[str, Any], path: object, out: Output) -> None:
    """Write the report as text."""
    out.result(
        f"{report['date']}: {report['planned']:,} actions for {report['contacts']:,} contacts, "
        f"as of {report['as_of']}, into {path}"
    )
    for by in ("action", "owner"):
        groups = report[f"by_{by}"]
        if groups:
            out.result("")
            out.table(
                (by, "planned", "priority", "cost"),
                [(name, int(g["planned"]), g["priority"], g["cost"]) for name, g in groups.items()],
            )
    out.result("")
    if "gap" in report:
        _show_limits(report, out)
    removed = {rule: sum(by_action.values()) for rule, by_action in report["removed"].items()}
    if removed:
        out.result("removed before: " + ", ".join(f"{rule} {n:,}" for rule, n in removed.items()))


def _show_limits(report: Mapping[str, Any], out: Output) -> None:
    if report["not_shown"] != 0:
        n = "a few" if report["not_shown"] is None else f"{report['not_shown']:,}"
        out.result(f"{n} more actions are for partners' contacts that are not shown one by one (--partner NAME)")
    if report["bound"] is not None:
        out.result(f"total priority {report['total_priority']:,.2f} of at most {report['bound']:,.2f}")
    out.result(f"no plan within these limits is better by more than {report['gap']:.3%}")
    budget = report["budget"]
    limit = "no limit" if budget["limit"] is None else f"{budget['limit']:,.2f}"
    used = "-" if budget["used"] is None else f"{budget['used']:,.2f}"
    worth = f"; one more would be worth {budget['one_more_is_worth']:,.2f}" if budget["one_more_is_worth"] else ""
    out.result(f"budget: {used} of {limit}{worth}")
    slots = [
        *((_capacity_said(each), each["one_more_is_worth"] or 0.0) for each in report["capacities"]),
        *((f"seat at {each['event']}", each["one_more_is_worth"] or 0.0) for each in report["events"]),
        *((f"lead in hand of {each['partner']}", each["one_more_is_worth"] or 0.0) for each in report["partners"]),
    ]
    for said, gain in sorted(slots, key=lambda each: -each[1])[:_MOST_SLOTS]:
        if gain >= _WORTH_TELLING:
            out.result(f"one more {said} would be worth {gain:,.2f}")
    for cap in report["caps"]:
        if (cap["one_more_each_is_worth"] or 0.0) >= _WORTH_TELLING:
            out.result(f"one more in every {cap['rule']} would be worth {cap['one_more_each_is_worth']:,.2f} in all")
    kept = ", ".join(f"{name} {n:,}" for name, n in report["kept_out"].items() if n)
    if kept:
        out.result(f"worth doing, and no room for it: {kept}")


def _capacity_said(slot: Mapping[str, Any]) -> str:
    return f"{slot['action']} of {slot['by']} {slot['of'] or '-'}" if slot["by"] else str(slot["action"])
