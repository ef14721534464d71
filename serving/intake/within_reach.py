"""What a caller that is bound to a partner or an owner may tell: of its own contacts, and of new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from features.rows.row_types import ContactRow, TouchpointRow
from serving.intake.delivery import Delivery, Message
from serving.own_names import is_own, own_name
from serving.reach import Reach

_NOT_ITS_TO_SAY = ("partner", "owner")


def within_reach(delivery: Delivery, reach: Reach, now_us: int) -> Delivery:
    """Return a delivery as its caller means it.

    What is said of one of its contacts stays; what is said of anybody else is said of a contact of its own making,
    which nobody else's names, sources and decisions can meet. Whose contact somebody is, it cannot tell.

    Parameters
    ----------
    now_us
        From when a contact of its own making is known to be its own.
    """
    messages = [_message(message, reach) for message in delivery.messages]
    named = {row.key for each in messages for row in each.contacts}
    named |= {each.touchpoint.identity for each in messages if each.touchpoint is not None}
    sides = {name: side for name in sorted(named) if (side := reach.side_of(name))}
    belongings = [ContactRow(name, now_us, side) for name, side in sides.items()]
    return replace(delivery, messages=messages, belongings=belongings)


def _message(message: Message, reach: Reach) -> Message:
    told = {name for row in message.contacts for name in _NOT_ITS_TO_SAY if name in row.body}
    left_out = tuple(f"{name} is left out: whose contact it is, this key cannot tell" for name in sorted(told))
    return replace(
        message,
        source=own_name(reach.viewer, message.source),
        touchpoint=None if message.touchpoint is None else _touchpoint(message.touchpoint, reach),
        contacts=tuple(_contact(row, reach) for row in message.contacts),
        accounts=tuple(row._replace(key=own_name(reach.viewer, row.key)) for row in message.accounts),
        links=tuple(
            row._replace(identity_a=reach.contact(row.identity_a), identity_b=reach.contact(row.identity_b))
            for row in message.links
        ),
        left_out=(*message.left_out, *left_out),
    )


def _touchpoint(row: TouchpointRow, reach: Reach) -> TouchpointRow:
    return row._replace(
        identity=reach.contact(row.identity),
        source=own_name(reach.viewer, row.source),
        decision_id=None if row.decision_id is None else reach.decision(row.decision_id),
    )


def _contact(row: ContactRow, reach: Reach) -> ContactRow:
    identity = reach.contact(row.key)
    body: Mapping[str, Any] = {name: value for name, value in row.body.items() if name not in _NOT_ITS_TO_SAY}
    account = body.get("account")
    if isinstance(account, str) and (is_own(reach.viewer, identity) or reach.account_of(identity) != account):
        # A contact that says that it belongs to an account would be shown the account.
        body = {**body, "account": own_name(reach.viewer, account)}
    return row._replace(key=identity, body=body)
