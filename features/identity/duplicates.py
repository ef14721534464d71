"""Pairs of contacts that may be one person: what speaks for it, found through equal keys and never by all pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from features.identity.person_keys import Mailbox, likeness, mailbox, person_name, phone
from features.rows.row_types import RecordRow

POSTCODES = ("postcode", "postal_code", "zip", "zip_code", "plz")
"""Traits that say where somebody lives or works closely enough for a name that is nearly the same to count."""

SHARED_BY = 5
"""A mail address or phone number that more contacts of several names have belongs to a desk or a house."""

LEAST = 0.5
"""Pairs with a lower score are not proposed."""

_MOST_IN_BLOCK = 60
_ALIKE = 0.84
_OTHER_NAME = 0.55
_SCORES = {
    "same mail": 0.95,
    "same mail but for what follows the plus": 0.7,
    "same mail of a desk": 0.3,
    "same phone": 0.85,
    "same name and account": 0.85,
    "same name and postcode": 0.75,
    "nearly the same name, same account": 0.6,
    "nearly the same name, same postcode": 0.55,
}

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two contacts that may be one person; ``score`` from 0 to 1, ``reasons`` the strongest first."""

    a: str
    b: str
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Person:
    identity: str
    group: str
    name: tuple[str, ...]
    mail: Mailbox | None
    phone: str | None
    account: str
    postcode: str


def duplicates(
    rows: Iterable[RecordRow],
    *,
    group_of: Callable[[str], str] = str,
    refused: Iterable[Pair] = (),
    limit: int = 25,
) -> list[Duplicate]:
    """Propose pairs of contacts that may be one person, the likeliest first.

    Parameters
    ----------
    rows
        Traits as they became known, in any order; of each identity the latest value counts.
    group_of
        The contact that an identity belongs to already; two of one contact are no duplicates.
    refused
        Pairs that a person said are two; the contacts they belong to are not proposed again.
    limit
        A key that more identities have joins nobody.

    Examples
    --------
    >>> rows = [
    ...     RecordRow("crm:1", 0, {"name": "Ann Lee", "email": "ann@acme.ch"}),
    ...     RecordRow("shop:8", 0, {"name": "Lee, Ann", "email": "Ann@Acme.ch"}),
    ... ]
    >>> [(found.a, found.b, found.reasons) for found in duplicates(rows)]
    [('crm:1', 'shop:8', ('same mail',))]
    """
    people = [_person(identity, body, group_of(identity)) for identity, body in sorted(_latest(rows).items())]
    reasons: dict[tuple[int, int], set[str]] = defaultdict(set)
    for reason, pair in _evidence(people, limit):
        reasons[pair].add(reason)
    told_apart = {tuple(sorted((group_of(a), group_of(b)))) for a, b in refused}
    best: dict[Pair, Duplicate] = {}
    for (i, j), said in sorted(reasons.items()):
        a, b = people[i], people[j]
        groups = (min(a.group, b.group), max(a.group, b.group))
        if a.group == b.group or groups in told_apart:
            continue
        found = _judged(a, b, said)
        if found.score >= LEAST and (groups not in best or found.score > best[groups].score):
            best[groups] = found
    return sorted(best.values(), key=lambda found: (-found.score, found.a, found.b))


def _latest(rows: Iterable[RecordRow]) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    known: dict[str, list[RecordRow]] = defaultdict(list)
    for row in rows:
        known[row.key].append(row)
    for identity, mine in known.items():
        body = found[identity] = {}
        for row in sorted(mine, key=lambda row: row.known_at):
            body.update(row.body)
    return found


def _person(identity: str, body: Mapping[str, object], group: str) -> _Person:
    postcode = next((str(body[name]).strip().casefold() for name in POSTCODES if body.get(name)), "")
    return _Person(
        identity,
        group,
        person_name(body.get("name")),
        mailbox(body.get("email")),
        phone(body.get("phone"), body.get("country")),
        str(body.get("account") or "").strip(),
        postcode,
    )


def _evidence(people: list[_Person], limit: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Every reason with the places of the pair it is about."""
    exact, untagged, phones = (defaultdict[str, list[int]](list) for _ in range(3))
    for place, person in enumerate(people):
        if person.mail is not None:
            exact[person.mail.exact].append(place)
            untagged[person.mail.untagged].append(place)
        if person.phone is not None:
            phones[person.phone].append(place)
    for i, j in _pairs(exact, people, limit):
        yield ("same mail of a desk" if _has_role(people[i]) else "same mail"), (i, j)
    for i, j in _pairs(untagged, people, limit):
        left, right = people[i].mail, people[j].mail
        if left is not None and right is not None and left.exact != right.exact and not left.is_role:
            yield "same mail but for what follows the plus", (i, j)
    for pair in _pairs(phones, people, limit):
        yield "same phone", pair
    yield from _by_name(people)


def _has_role(person: _Person) -> bool:
    return person.mail is not None and person.mail.is_role


def _pairs(of_key: Mapping[str, list[int]], people: list[_Person], limit: int) -> Iterator[tuple[int, int]]:
    """Pairs that have a key in common, but for keys that many share."""
    for places in of_key.values():
        if len(places) > limit:
            continue
        names = {people[place].name for place in places if people[place].name}
        if len(places) <= SHARED_BY or len(names) <= 2:
            yield from combinations(places, 2)


def _by_name(people: list[_Person]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Names within one account or postcode: only who has a word in common is compared."""
    blocks: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for place, person in enumerate(people):
        for what, where in (("account", person.account), ("postcode", person.postcode)):
            if where and len(person.name) > 1:
                for word in {word for word in person.name if len(word) > 1}:
                    blocks[what, where, word].append(place)
    seen: set[tuple[str, int, int]] = set()
    for (what, _, _), places in blocks.items():
        if len(places) > _MOST_IN_BLOCK:
            yield from _equal_names(people, places, what)
            continue
        for i, j in combinations(places, 2):
            if (what, i, j) not in seen:
                seen.add((what, i, j))
                alike = likeness(people[i].name, people[j].name)
                if alike == 1.0:
                    yield f"same name and {what}", (i, j)
                elif alike >= _ALIKE:
                    yield f"nearly the same name, same {what}", (i, j)


def _equal_names(people: list[_Person], places: list[int], what: str) -> Iterator[tuple[str, tuple[int, int]]]:
    of_name: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place in places:
        of_name[people[place].name].append(place)
    for alike in of_name.values():
        # Beyond a handful it is a name that many have, or a placeholder.
        if len(alike) <= SHARED_BY:
            for pair in combinations(alike, 2):
                yield f"same name and {what}", pair


def _judged(a: _Person, b: _Person, said: Iterable[str]) -> Duplicate:
    """Weigh the reasons as if each were right by itself; other names speak against all of them."""
    reasons = sorted(said, key=lambda reason: (-_SCORES[reason], reason))
    doubt = 1.0
    for reason in reasons:
        doubt *= 1 - _SCORES[reason]
    score = 1 - doubt
    if a.name and b.name and likeness(a.name, b.name) < _ALIKE:
        score *= _OTHER_NAME
        reasons.append("but other names")
    return Duplicate(a.identity, b.identity, round(score, 3), tuple(reasons))
