"""The journey world's columns as rows of the store, and as the matrix's touchpoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from features.rows.row_types import DecisionRow, LinkRow, RecordRow, TouchpointRow
from features.times import DAY, HOUR
from features.touchpoints.touchpoints import Touchpoints
from training.world.people import FITS, INDUSTRIES, NOBODY, ROLES, People
from training.world.rules import BEGIN, CHANNEL_OF, CHANNELS, KINDS, OUTBOUND, TOPICS, Lever
from training.world.truth import Truth

I64 = NDArray[np.int64]

_SOURCE = "journey"
_POLICY = "softmax_of_behaviour"
_TOPIC_TEXTS = (*(orjson.dumps([name]).decode() for name in TOPICS), None)


@dataclass(frozen=True, eq=False)
class Columns:
    """Touchpoints as columns in the order of time, shape (touchpoints,); codes are -1 and numbers NaN for none."""

    contact: NDArray[np.int32]
    at: I64
    kind: NDArray[np.int8]
    topic: NDArray[np.int8]
    value: NDArray[np.float64]
    duration: NDArray[np.float64]
    decision: NDArray[np.int32]
    action: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.at)


def contact_name(number: int) -> str:
    """Identity by which the master data know a contact."""
    return f"crm:{number:06}"


def decision_name(number: int) -> str:
    """Id of a decision."""
    return f"d{number:07}"


def touchpoints_of(columns: Columns, who: People, levers: tuple[Lever, ...], n_decisions: int) -> Touchpoints:
    """Columns made ready for the kernel; contact c is the world's contact number c, whatever the device."""
    names = [contact_name(number) for number in range(len(who))]
    outbound = np.array([name in OUTBOUND for name in KINDS])
    return Touchpoints.from_columns(
        names, columns.contact, columns.at, kind=columns.kind, kinds=KINDS,
        channel=CHANNEL_OF[columns.kind], channels=CHANNELS, outbound=outbound[columns.kind],
        value=columns.value, duration=columns.duration, topic=columns.topic, topics=TOPICS,
        decision=columns.decision, decisions=[decision_name(number) for number in range(n_decisions)],
        action=columns.action, actions=[lever.name for lever in levers],
    )  # fmt: skip


def touchpoint_rows(columns: Columns, who: People, levers: tuple[Lever, ...]) -> Iterator[TouchpointRow]:
    """Rows as the store takes them, in the order of time."""
    on_cookie = _on_second_device(columns, who)
    channels = [CHANNELS[code] for code in CHANNEL_OF.tolist()]
    nothing = (None,) * 3
    columns_of_rows = (
        columns.contact, columns.at, columns.kind, columns.topic, columns.decision, columns.action,
        columns.value, columns.duration, on_cookie,
    )  # fmt: skip
    for i, (contact, at, kind, topic, decision, action, value, duration, cookie) in enumerate(
        zip(*(column.tolist() for column in columns_of_rows), strict=True)
    ):
        yield TouchpointRow(
            _cookie_name(contact) if cookie else contact_name(contact), at, f"t{i:08}", KINDS[kind], channels[kind],
            "outbound" if KINDS[kind] in OUTBOUND else "inbound", _TOPIC_TEXTS[topic],
            value if value == value else None, *nothing[:2], duration if duration == duration else None,
            decision_name(decision) if decision >= 0 else None, levers[action].name if action >= 0 else None,
            None, _SOURCE,
        )  # fmt: skip


def _on_second_device(columns: Columns, who: People) -> NDArray[np.bool_]:
    """Which touchpoints came from a device of its own cookie: four in ten on the web of who has one."""
    # Of the touchpoint's number, so that a world with more days says the same of those it has.
    chosen = (np.arange(len(columns), dtype=np.uint64) * np.uint64(2654435761)) % np.uint64(1000) < 400
    on_web = CHANNEL_OF[columns.kind] == CHANNELS.index("web")
    found: NDArray[np.bool_] = chosen & on_web & (who.linked_on[columns.contact] != NOBODY)
    return found


def _cookie_name(number: int) -> str:
    return f"cookie:{number * 7919 % 1_000_003:06}"


def decision_rows(
    truth: Truth, levers: tuple[Lever, ...], *, known_probabilities: bool, first: int = 0
) -> Iterator[DecisionRow]:
    """Decisions as they were logged, from the number ``first`` on, in the order of their numbers."""
    names = truth.actions
    topics = [None, *(None if lever.topic is None else (TOPICS[lever.topic],) for lever in levers)]
    columns = (truth.contact, truth.decided_at, truth.action, truth.logged)
    each = zip(*(column[first:].tolist() for column in columns), strict=True)
    for number, (contact, at, action, logged) in enumerate(each, start=first):
        yield DecisionRow(
            decision_id=decision_name(number), identity=contact_name(contact), decided_at=at, action=names[action],
            topics=topics[action], probability=logged[action] if known_probabilities else None,
            allowed=names if known_probabilities else None, policy=_POLICY if known_probabilities else None,
            chances=dict(zip(names, logged, strict=True)) if known_probabilities else None,
        )  # fmt: skip


def link_rows(who: People, ends_at: int) -> list[LinkRow]:
    """Logins that told whose a second device is, those within the world."""
    at = BEGIN + who.linked_on * DAY + 12 * HOUR
    linked = np.flatnonzero((who.linked_on != NOBODY) & (at < ends_at))
    rows = [LinkRow(_cookie_name(i), contact_name(i), int(at[i]), "login", 1.0) for i in linked.tolist()]
    return sorted(rows, key=lambda row: (row.seen_at, row.identity_a))


def contact_rows(who: People, ends_at: int) -> list[RecordRow]:
    """Traits of contacts, since when they were known; those within the world."""
    rows = []
    for i in np.flatnonzero(BEGIN + who.known_on * DAY < ends_at).tolist():
        business = int(who.account[i]) != NOBODY
        body: dict[str, object] = {
            "person_type": "business" if business else "consumer", "owner": f"owner:{who.owner[i]}",
            "product_fit": FITS[who.fit[i]], "industry": INDUSTRIES[who.industry[i]],
        }  # fmt: skip
        if business:
            body |= {
                "account": account_name(int(who.account[i])), "role": ROLES[who.role[i]],
                "employees": int(who.employees[i]),
            }  # fmt: skip
        if int(who.partner[i]) != NOBODY:
            body["partner"] = partner_name(int(who.partner[i]))
        rows.append(RecordRow(contact_name(i), BEGIN + int(who.known_on[i]) * DAY, body))
    return rows


def account_name(number: int) -> str:
    """Key of an account."""
    return f"account:{number:05}"


def partner_name(number: int) -> str:
    """Key of a dealer."""
    return f"partner:{number:03}"


def account_rows(who: People) -> list[RecordRow]:
    """Accounts with their size, known from the beginning."""
    account, first = np.unique(who.account, return_index=True)
    return [
        RecordRow(account_name(a), BEGIN, {"name": f"Account {a}", "employees": int(who.employees[i])})
        for a, i in zip(account.tolist(), first.tolist(), strict=True)
        if a != NOBODY
    ]


def partner_rows(who: People) -> list[RecordRow]:
    """Dealers who own contacts, known from the beginning."""
    return [
        RecordRow(partner_name(number), BEGIN, {"name": f"Dealer {number}", "capacity": 40.0})
        for number in np.unique(who.partner).tolist()
        if number != NOBODY
    ]
