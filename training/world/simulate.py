"""A small world whose truth is known, as the store takes it: visits of persons whose every identity is on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.rows.row_types import LinkRow, RecordRow, TouchpointRow
from features.times import DAY, HOUR, SECOND, parse_time
from training.world.persons import KIOSK, NOBODY, PHONE, TABLET, WORK, Devices, Persons, devices, persons

I64 = NDArray[np.int64]

BEGIN = parse_time("2026-01-05")
"""The first moment of every simulated world."""

_KINDS = np.array(["page_view", "search", "download", "newsletter_open", "price_list"])
_KIND_SHARE = [0.74, 0.12, 0.05, 0.06, 0.03]
_ROLES = ("decision_maker", "user", "user", "user", "purchasing")
_HOME, _OFFICE, _CARRIER, _HOTEL, _FRIEND, _LIBRARY = range(6)
_NAMES = ("home", "office", "carrier", "hotel", "home", "library")
_LOGIN_SHARE, _CLICK_SHARE, _WITHDRAW_SHARE = 0.35, 0.25, 0.02
_PERSONS_PER_CARRIER = 3000
_SHARED = 10_000_000
"""Added to a device's number where nobody in particular stands behind an identity."""


@dataclass(frozen=True)
class World:
    """What happened, in the order of time, and the truth behind it.

    ``person_of`` has every identity's person; behind the cookie of a shared tablet or of a machine that anybody
    uses stands nobody in particular, but something of its own. ``account`` of a contact is where the person works.
    """

    touchpoints: list[TouchpointRow]
    links: list[LinkRow]
    contacts: list[RecordRow]
    person_of: Mapping[str, str]


@dataclass(frozen=True)
class _Visits:
    """Visits by device and time, shape (visits,)."""

    device: I64
    at: I64
    person: I64
    cookie: I64
    network: I64
    place: I64


def simulate(n_persons: int = 500, *, seed: int = 0, days: int = 180) -> World:
    """Let persons visit a site for some time, on all their devices and with cookies that get lost.

    Parameters
    ----------
    n_persons
        How many there are; about a hundred touchpoints each in 180 days.
    seed
        The same seed gives the same world.
    days
        How long the world lasts.
    """
    rng = np.random.default_rng(seed)
    who = persons(n_persons, rng)
    owned = devices(who, rng)
    visits = _visits(who, owned, days, rng)
    return _told(who, owned, visits, rng)


def _visits(who: Persons, owned: Devices, days: int, rng: np.random.Generator) -> _Visits:
    count = rng.poisson(owned.visits_a_day * days)
    device = np.repeat(np.arange(len(owned)), count)
    at = _moments(owned.kind[device], days, rng)
    order = np.lexsort((at, device))
    device, at = device[order], at[order]
    person = _visitor(who, owned, device, rng)
    network, place = _where(who, owned, device, person, at, days, rng)
    return _Visits(device, at, person, _cookies(owned, device, at, days, rng), network, place)


def _moments(kind: I64, days: int, rng: np.random.Generator) -> I64:
    """Draw moments: work machines on weekdays in the day, all others any day and more towards the evening."""
    n = len(kind)
    day = rng.integers(0, days, size=n)
    at_work = (kind == WORK) & (day % 7 > 4)
    day = np.where(at_work, np.maximum(0, day - 2), day)
    hour = np.where(kind == WORK, rng.normal(13, 2.5, size=n), rng.normal(18, 3.0, size=n)).clip(0, 23.9)
    return BEGIN + day * DAY + (hour * HOUR).astype(np.int64) + rng.integers(0, SECOND, size=n)


def _visitor(who: Persons, owned: Devices, device: I64, rng: np.random.Generator) -> I64:
    """Draw who sits at it: the owner, one of the household, or anybody who lives there."""
    owner, kind = owned.owner[device], owned.kind[device]
    size = np.bincount(who.household)
    member = owner + (rng.random(len(device)) * size[who.household[owner]]).astype(np.int64)
    by_place = np.argsort(who.place, kind="stable")
    start = np.searchsorted(who.place[by_place], np.arange(who.place.max() + 2))
    low, high = start[owned.place[device]], start[owned.place[device] + 1]
    stranger = by_place[(low + (rng.random(len(device)) * (high - low)).astype(np.int64)).clip(0, len(who) - 1)]
    return np.where(kind == KIOSK, stranger, np.where(kind == TABLET, member, owner))


def _where(
    who: Persons, owned: Devices, device: I64, person: I64, at: I64, days: int, rng: np.random.Generator
) -> tuple[I64, I64]:
    """Draw network and place of each visit."""
    n, kind = len(device), owned.kind[device]
    draw = rng.random(n)
    spot = np.full(n, _HOME)
    has_office = who.office[person] != NOBODY
    spot = np.where((kind == PHONE) & (draw < 0.36), _CARRIER, spot)
    spot = np.where((kind == PHONE) & (draw >= 0.36) & (draw < 0.44) & has_office, _OFFICE, spot)
    spot = np.where((kind == PHONE) & (draw > 0.96), _FRIEND, spot)
    spot = np.where(kind == WORK, np.where(draw < 0.85, _OFFICE, _HOME), spot)
    away = _travels(len(who), at, person, days, rng) & (kind <= WORK)
    spot = np.where(away, np.where(draw < 0.5, _HOTEL, np.where(kind == PHONE, _CARRIER, _HOTEL)), spot)
    spot = np.where(kind == KIOSK, _LIBRARY, spot)
    n_places = int(who.place.max()) + 1
    visited = (who.place[person] + 1 + person % 7 + (at - BEGIN) // (30 * DAY)) % n_places
    friend = rng.integers(0, len(who), size=n)
    host = np.where(spot == _FRIEND, friend, person)
    place = np.where(spot == _OFFICE, who.office_place[who.office[person]], who.place[host])
    place = np.where(spot == _HOTEL, visited, place)
    # A carrier has one address for thousands all over the country, and tells of one place for all of them.
    place = np.where(spot == _CARRIER, 0, place)
    place = np.where(spot == _LIBRARY, owned.place[device], place)
    number = np.choose(
        np.where(spot == _FRIEND, _HOME, spot),
        [
            _home_network(who, host, at, days, rng),
            who.office[person],
            person % (1 + len(who) // _PERSONS_PER_CARRIER),
            place * 5 + person % 5,
            person,
            place,
        ],
    )
    return number * len(_NAMES) + np.where(spot == _FRIEND, _HOME, spot), place


def _travels(n: int, at: I64, person: I64, days: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw who is away when: up to two journeys of some days each."""
    begin = BEGIN + rng.integers(0, days, size=(2, n)) * DAY
    long = rng.integers(2, 7, size=(2, n)) * DAY * (rng.random((2, n)) < 0.4)
    first, second = (at >= begin[:, person]) & (at < (begin + long)[:, person])
    away: NDArray[np.bool_] = first | second
    return away


def _home_network(who: Persons, host: I64, at: I64, days: int, rng: np.random.Generator) -> I64:
    """Draw the address of a home; some providers give a new one every few weeks, most hardly ever."""
    households = int(who.household.max()) + 1
    every = rng.choice([21, 90, 10 * days], size=households, p=[0.1, 0.2, 0.7]) * DAY
    shift = (rng.random(households) * every).astype(np.int64)
    home = who.household[host]
    turn = (at - BEGIN + shift[home]) // every[home]
    number: I64 = home + households * turn
    return number


def _cookies(owned: Devices, device: I64, at: I64, days: int, rng: np.random.Generator) -> I64:
    """Give each visit the number of its cookie: a new one after every time that cookies were cleared on the device."""
    forgets = owned.days_a_cookie == 0
    count = np.where(forgets, 0, rng.poisson(days / np.where(forgets, 1.0, owned.days_a_cookie)))
    cleared = np.repeat(np.arange(len(owned)), count)
    cleared_at = BEGIN + (rng.random(len(cleared)) * days * DAY).astype(np.int64)
    both, when = np.concatenate([device, cleared]), np.concatenate([at, cleared_at])
    is_clear = np.arange(len(both)) >= len(device)
    order = np.lexsort((when, both))
    turn = np.empty(len(both), dtype=np.int64)
    turn[order] = np.cumsum(is_clear[order])
    epoch = turn[: len(device)] + np.cumsum(forgets[device])
    # Numbers in no order, as cookies have, so that a name tells nothing.
    _, code = np.unique(device * (len(both) + 2) + epoch, return_inverse=True)
    scrambled: I64 = rng.permutation(int(code.max(initial=0)) + 1)[code]
    return scrambled


def _told(who: Persons, owned: Devices, visits: _Visits, rng: np.random.Generator) -> World:
    """Tell the visits as rows, in the order of time."""
    n = len(visits.at)
    kind = owned.kind[visits.device]
    names = [f"cookie:{number:06x}" for number in range(int(visits.cookie.max(initial=-1)) + 1)]
    what = rng.choice(_KINDS, size=n, p=_KIND_SHARE)
    where = _Texts()
    rows = [
        _touchpoint(names[cookie], at, f"v{i:07}", str(what[i]), where(network, place, model))
        for i, (cookie, at, network, place, model) in enumerate(
            zip(
                visits.cookie.tolist(),
                visits.at.tolist(),
                visits.network.tolist(),
                visits.place.tolist(),
                owned.model[visits.device].tolist(),
                strict=True,
            )
        )
    ]
    rows += _consents(who, visits, names, rng)
    rows.sort(key=lambda row: (row.occurred_at, row.touchpoint_id))
    shared = (kind == TABLET) | ((kind == KIOSK) & (owned.days_a_cookie[visits.device] > 0))
    behind = np.where(shared, _SHARED + visits.device, visits.person)
    person_of = {names[c]: f"person:{p}" for c, p in zip(visits.cookie.tolist(), behind.tolist(), strict=True)}
    known = np.flatnonzero(who.logs_in | who.clicks).tolist()
    person_of.update({name: f"person:{p}" for p in known for name in (f"crm:{p}", f"email:{p}")})
    return World(rows, _links(who, owned, visits, names, known, rng), _contacts(who, known), person_of)


class _Texts:
    """The properties of a visit as JSON; few differ, so each is written once."""

    def __init__(self) -> None:
        self._of: dict[tuple[int, int, int], str] = {}

    def __call__(self, network: int, place: int, model: int) -> str:
        key = (network, place, model)
        if key not in self._of:
            number, spot = divmod(network, len(_NAMES))
            self._of[key] = f'{{"device":"model {model}","network":"{_NAMES[spot]}-{number}","place":"town {place}"}}'
        return self._of[key]


def _touchpoint(identity: str, at: int, touchpoint_id: str, kind: str, properties: str) -> TouchpointRow:
    return TouchpointRow(identity, at, touchpoint_id, kind, "web", properties=properties, source="simulated")


def _consents(who: Persons, visits: _Visits, names: list[str], rng: np.random.Generator) -> list[TouchpointRow]:
    """Say of each cookie's first visit whether its visitor agreed to stitching; few take it back for good."""
    order = np.lexsort((visits.at, visits.cookie))
    cookie, first, size = np.unique(visits.cookie[order], return_index=True, return_counts=True)
    begin, end = visits.at[order[first]], visits.at[order[first + size - 1]]
    person = visits.person[order[first]]
    withdraws = rng.random(len(who)) < _WITHDRAW_SHARE
    span = int(visits.at.max(initial=BEGIN)) - BEGIN
    until = np.where(withdraws, BEGIN + (rng.random(len(who)) * span).astype(np.int64), BEGIN + 2 * span + 1)[person]
    agreed = who.consents[person] & (begin < until)
    told = '{"channel":"stitching"}'
    found = [
        _touchpoint(names[cookie[i]], int(begin[i]), f"c{cookie[i]:07}", "consent_given", told)
        for i in np.flatnonzero(agreed).tolist()
    ]
    found += [
        _touchpoint(names[cookie[i]], int(until[i]), f"w{cookie[i]:07}", "consent_withdrawn", told)
        for i in np.flatnonzero(agreed & (until < end + 14 * DAY)).tolist()
    ]
    return found


def _links(
    who: Persons, owned: Devices, visits: _Visits, names: list[str], known: list[int], rng: np.random.Generator
) -> list[LinkRow]:
    """Logins and clicks join a visit's cookie with its visitor's names, once for each of the two.

    On a family's tablet it is nearly always its owner who is logged in.
    """
    found: dict[tuple[str, str], LinkRow] = {}
    draw = rng.random((2, len(visits.at)))
    is_guest = (owned.kind[visits.device] == TABLET) & (owned.owner[visits.device] != visits.person)
    draw += is_guest * 0.9 * np.array([[_LOGIN_SHARE], [_CLICK_SHARE]])
    wanted = (
        ("login", "crm", who.logs_in[visits.person] & (draw[0] < _LOGIN_SHARE)),
        ("click", "email", who.clicks[visits.person] & (draw[1] < _CLICK_SHARE)),
    )
    for how, prefix, happens in wanted:
        for i in np.flatnonzero(happens).tolist():
            pair = (names[visits.cookie[i]], f"{prefix}:{visits.person[i]}")
            link = LinkRow(*pair, int(visits.at[i]), how)
            found[pair] = min(link, found.get(pair, link), key=lambda each: each.seen_at)
    aliases = [LinkRow(f"crm:{p}", f"email:{p}", BEGIN, "alias") for p in known]
    return sorted([*found.values(), *aliases], key=lambda link: (link.seen_at, link.identity_a))


def _contacts(who: Persons, known: list[int]) -> list[RecordRow]:
    """Return traits of everybody who has a name: where they work, and as what."""
    found = []
    for person in known:
        body: dict[str, object] = {"person_type": "consumer"}
        if (office := int(who.office[person])) != NOBODY:
            body = {"person_type": "business", "account": f"office:{office}", "role": _ROLES[person % len(_ROLES)]}
        found.append(RecordRow(f"crm:{person}", BEGIN, body))
    return found
