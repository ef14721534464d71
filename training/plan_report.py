"""What a day's plan comes to: how many of what, what limits cost, and what removed the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.times import iso
from nba.output import Output
from nba.plan import kept_out, one_more
from nba.plan_rules import BUDGET, CAPACITY, NOBODY, UNIT
from nba.visibility import OWNER_SIDE, counted
from training.plan_rows import amounts, is_shown
from training.planned_day import PlannedDay

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
    hidden = np.zeros(len(planned.done), dtype=np.bool_)
    hidden[[at for at in np.flatnonzero(planned.done).tolist() if not is_shown(planned, at)]] = True
    together = _Together(planned, hidden)
    prices = worklist.prices.get(BUDGET)
    return {
        "not_shown": together.count(hidden),
        "total_priority": worklist.value if together.may_be_added(hidden) else None,
        "bound": worklist.bound if together.may_be_added(hidden) else None,
        "gap": worklist.gap,
        "budget": {
            "limit": settings.plan.budget,
            "used": _money(planned.pool.cost[planned.done]) if together.may_be_added(hidden) else None,
            "one_more_is_worth": None if prices is None else float(prices[0] * UNIT),
        },
        "capacities": _capacities(planned, together, hidden),
        "caps": [
            {"rule": name, "one_more_each_is_worth": worth}
            for name, worth in one_more(planned.rules.day, worklist).items()
        ],
        "kept_out": kept_out(planned.rules.day, worklist.chosen, _seen(planned)),
    }


@dataclass(frozen=True)
class _Together:
    """What may be told of actions that are not shown: nothing of so few contacts that it would tell of single ones."""

    planned: PlannedDay
    hidden: NDArray[np.bool_]

    def may_be_added(self, done: NDArray[np.bool_]) -> bool:
        """Whether a sum over what is done may have the hidden ones in it."""
        contacts = len(set(self.planned.pool.contact[done & self.hidden].tolist()))
        return contacts == 0 or counted(contacts) is not None

    def count(self, done: NDArray[np.bool_]) -> int | None:
        """How many are done; None where that would tell."""
        return int(done.sum()) if self.may_be_added(done) else None


def _seen(planned: PlannedDay) -> NDArray[np.bool_]:
    """Which candidates of the day belong to contacts that the viewer sees something of."""
    unseen = [contact for contact, sight in planned.gathered.sight.items() if sight.is_nothing]
    return ~np.isin(planned.pool.contact[planned.rules.order], unseen)


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


def _capacities(planned: PlannedDay, together: _Together, hidden: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Every capacity with what was left for today, what is used, and what one more slot would bring."""
    family = next((each for each in planned.rules.day.limits if each.name == CAPACITY), None)
    if family is None:
        return []
    rules, worth = planned.rules, planned.worklist.prices[CAPACITY]
    row = np.full(len(planned.done), NOBODY, dtype=np.int64)
    row[rules.order] = family.row
    before = family.used(rules.placed)
    used = np.bincount(row[planned.done & (row >= 0)], minlength=len(family.room))
    affected = set(row[hidden].tolist())
    found = []
    for limit, (column, code) in enumerate(rules.capacities):
        action = planned.catalogue.action(column)
        by = action.capacity.by if action.capacity is not None else None
        told = limit not in affected or together.may_be_added(planned.done & (row == limit))
        found.append(
            {
                "action": action.name,
                "by": by,
                "of": None if by is None or code == NOBODY else planned.codes[by][code],
                "left": max(0, int(family.room[limit] + before[limit])),
                "used": int(used[limit]) if told else None,
                "one_more_is_worth": float(worth[limit]),
            }
        )
    return found


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
    slots = sorted(report["capacities"], key=lambda each: -each["one_more_is_worth"])
    for slot in slots[:_MOST_SLOTS]:
        if slot["one_more_is_worth"] >= _WORTH_TELLING:
            of = f" of {slot['by']} {slot['of'] or '-'}" if slot["by"] else ""
            out.result(f"one more {slot['action']}{of} would be worth {slot['one_more_is_worth']:,.2f}")
    for cap in report["caps"]:
        if cap["one_more_each_is_worth"] >= _WORTH_TELLING:
            out.result(f"one more in every {cap['rule']} would be worth {cap['one_more_each_is_worth']:,.2f} in all")
    kept = ", ".join(f"{name} {n:,}" for name, n in report["kept_out"].items() if n)
    if kept:
        out.result(f"worth doing, and no room for it: {kept}")
