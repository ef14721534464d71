"""Which links join two identities, for how long, and what the contact that they make is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from features.times import ALWAYS

if TYPE_CHECKING:
    from features.rows.row_types import LinkRow
    from features.touchpoints.touchpoints import TouchpointRules

EVER = -ALWAYS
"""After every moment."""

STITCHED, CONFIRMED = "stitched", "confirmed"
"""How a link came about: guessed from network, place and device; said by a person."""

PASSING = frozenset({"cookie", "anonymous", "anon", "device", "visitor", "session"})
"""Prefixes of identities that name a browser or a visit rather than a person."""

_ROOM = 16


def most(rules: TouchpointRules) -> int:
    """How many links an identity, and how many identities a contact, has less than.

    A key with more links is shared whatever they are worth, and more identities are nobody: so that what a request
    reads stays small however much was linked.
    """
    return _ROOM * (rules.stitch_limit + 1)


def counts(how: str, confidence: float | None, rules: TouchpointRules) -> bool:
    """Whether a link is good enough to join; without a confidence it is certain."""
    certain = confidence is None or confidence >= rules.stitch_confidence
    return certain and (how != STITCHED or rules.visitor_stitching)


def opening(links: Iterable[LinkRow], split_at: int | None, as_of: int, rules: TouchpointRules) -> LinkRow | None:
    """Return the link that holds a pair together at ``as_of``; None where nothing does.

    Parameters
    ----------
    links
        Of one pair.
    split_at
        When a person last split the pair before ``as_of``; only what a person confirms later joins it again.
    """
    since = ALWAYS if split_at is None else split_at
    good = [
        link
        for link in links
        if since < link.seen_at < as_of
        and counts(link.how, link.confidence, rules)
        and (split_at is None or link.how == CONFIRMED)
    ]
    return min(good, key=evidence_order, default=None)


def evidence_order(link: LinkRow) -> tuple[int, str, float, str, str]:
    """Sort links by time; of those seen at once always the same comes first."""
    sure = 1.0 if link.confidence is None else link.confidence
    return link.seen_at, link.how, -sure, link.identity_a, link.identity_b


def pair_spans(links: list[LinkRow], splits: Iterable[int]) -> list[tuple[int, int, LinkRow]]:
    """Spans in which the links of one pair held, with the link that began each.

    Parameters
    ----------
    links
        Those that count.
    splits
        When a person split the pair.

    Returns
    -------
    list of (begin, end, link)
        Microseconds: it held for every ``as_of`` with ``begin < as_of <= end``.

    Examples
    --------
    >>> from features.rows.row_types import LinkRow
    >>> links = [LinkRow("a", "b", 5, "login"), LinkRow("a", "b", 9, "login"), LinkRow("a", "b", 20, "confirmed")]
    >>> [(begin, end) for begin, end, _ in pair_spans(links, [7])]
    [(5, 7), (20, 4611686018427387904)]
    """
    # What is linked and split at the same moment is split, so the link comes first.
    events: list[tuple[int, LinkRow | None]] = [(link.seen_at, link) for link in sorted(links, key=evidence_order)]
    events += [(at, None) for at in splits]
    events.sort(key=lambda event: (event[0], event[1] is None))
    found: list[tuple[int, int, LinkRow]] = []
    held: LinkRow | None = None
    was_split = False
    for at, link in events:
        if link is None:
            if held is not None and held.seen_at < at:
                found.append((held.seen_at, at, held))
            held, was_split = None, True
        elif held is None and (not was_split or link.how == CONFIRMED):
            held = link
    return found if held is None else [*found, (held.seen_at, EVER, held)]


def name_rank(identity: str) -> tuple[bool, str]:
    """Sort names, the best first: a person's before a browser's, then by text.

    Examples
    --------
    >>> sorted(["cookie:1", "email:7", "crm:4"], key=name_rank)
    ['crm:4', 'email:7', 'cookie:1']
    """
    return identity.partition(":")[0] in PASSING, identity


def best_name(members: Iterable[str], is_contact: Callable[[str], bool]) -> str:
    """Return the name of the contact that these identities are: one that the table of contacts knows, if any."""
    return min(members, key=lambda identity: (not is_contact(identity), *name_rank(identity)))
