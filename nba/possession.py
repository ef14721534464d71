"""What a contact has already, and what was done for it already."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from features.touchpoints.touchpoints import NONE, TouchpointRules
from features.trait_values import truth_in
from models.saying.said import Said
from nba.once import once
from nba.past import Past

PRODUCT = "product_id"
"""The property of an order that names what was bought: a text, or a list of them."""

ACHIEVED = ("done", "accepted", "converted")
"""Outcomes after which an action has had its effect."""


class Possessions:
    """What a contact has: read when first asked for, then known for every product."""

    def __init__(self, past: Past, rules: TouchpointRules) -> None:
        self._past = past
        self._rules = rules

    def of(self, product: str) -> Said | None:
        """Say by what the contact is known to have a product; None where it has not.

        Bought and not given back since, a trait of that name that is true, or a device or contract of it or of its
        account.
        """
        if product in self._bought:
            return Said("owned.bought")
        if truth_in(self._past.traits.get(product)):
            return Said("owned.by_traits")
        return Said("owned.has") if product in self._installed else None

    @once
    def _bought(self) -> frozenset[str]:
        return bought(self._past, self._rules)

    @once
    def _installed(self) -> frozenset[str | None]:
        return frozenset(asset.product_id for asset in self._past.around.assets())


def bought(past: Past, rules: TouchpointRules) -> frozenset[str]:
    """Return the products that a contact bought and has not given back since."""
    t, found, texts = past.touchpoints, set[str](), past.touchpoints.properties
    # Of most orders nothing says what was bought.
    named = {row: text for row in _deals(past, rules) if (text := texts[row]) and PRODUCT in text}
    for row in sorted(named):
        if not t.outbound[row]:
            products = _products(named[row])
            found = found.union(products) if past.kinds[row] in rules.money else found.difference(products)
    return frozenset(found)


def _deals(past: Past, rules: TouchpointRules) -> list[int]:
    """Return the rows of what was bought and given back."""
    rows = past.rows
    return [row for kind in (*rules.money, *rules.returns) if kind in rows for row in rows[kind]]


def achieved(past: Past, since: int) -> Mapping[str, int]:
    """Return when actions were done through their own decisions, from ``since`` on, of those that still stand so.

    Done is what went out with the id of its decision, and an outcome ``done``, ``accepted`` or ``converted`` of it.
    A touchpoint of the contact after that which is no outcome of the same decision is something new, and ends it.
    """
    t = past.touchpoints
    if not t.decisions:
        return {}
    first = int(t.occurred_at.searchsorted(since))
    decided = t.decision[first:]
    if not len(decided) or int(decided.max()) == NONE:
        return {}
    chosen = {row.decision_id: row.action for row in past.decisions}
    done: dict[str, tuple[int, int]] = {}
    columns = (t.action[first:].tolist(), t.outbound[first:].tolist(), past.kinds[first:], past.times[first:])
    for code, action, outbound, kind, at in zip(decided.tolist(), *columns, strict=True):
        if not outbound:
            done = {name: found for name, found in done.items() if found[0] == code}
        if code != NONE and (outbound or kind in ACHIEVED):
            name = t.actions[action] if action != NONE else chosen.get(t.decisions[code])
            if name is not None:
                done[name] = code, at
    return {name: at for name, (_, at) in done.items()}


def _products(properties: str) -> list[str]:
    found = orjson.loads(properties)
    named = found.get(PRODUCT) if isinstance(found, dict) else None
    return [each for each in (named if isinstance(named, list) else [named]) if isinstance(each, str)]
