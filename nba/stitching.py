"""Visitor stitching of a whole store: reads what it needs, writes links and splits, says what it found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from features.identity.chains import BY, LEVELS
from features.identity.link_rules import STITCHED
from features.identity.sightings import Sightings
from features.identity.stitching import Stitched, Word, stitch
from features.lake.history import touchpoint_rows
from features.rows.row_types import LinkRow, SplitRow
from nba.consent import CONFIRMED, GIVEN, STITCHING, WITHDRAWALS, word_of
from nba.settings.consent import folded

if TYPE_CHECKING:
    from features.store.store import Store
    from features.touchpoints.touchpoints import TouchpointRules

CHANNEL = STITCHING
"""What consent to stitching is about: ``consent_given`` with the property ``channel`` = ``stitching``."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class Found:
    """What stitching found in a store.

    ``at`` has how many pairs stand at each level of confidence or above, ``joining`` how many of them join;
    ``new_links`` and ``new_splits`` are rows that were not there before. ``visitors`` is how many identities were
    seen with network, place and device, ``agreed`` how many agreed at some time.
    """

    visitors: int
    agreed: int
    joining: int
    at: Mapping[float, int]
    new_links: int
    new_splits: int


def stitch_store(store: Store, rules: TouchpointRules, now: int) -> Found:
    """Write the links that touchpoints before ``now`` (microseconds) give, and splits of those that stand no more."""
    words: list[Word] = []
    sightings = Sightings.of(_listened(touchpoint_rows(store, now), words))
    before = list(store.link_rows(now))
    splits = list(store.split_rows(now))
    found = stitch(
        sightings,
        words,
        [link for link in before if link.how != STITCHED],
        limit=rules.stitch_limit,
        refused=[split[:2] for split in splits if split.by != BY],
    )
    fallen = _fallen(before, splits, found, now)
    with store.writing() as writing:
        new_links = writing.links(_new(found.links, before))
        new_splits = writing.splits([*found.splits, *fallen])
    best = _standing(found)
    return Found(
        visitors=len(sightings.identities),
        agreed=len({word.identity for word in words if word.stands}),
        joining=sum(confidence >= rules.stitch_confidence for confidence in best.values()),
        at={level: sum(confidence >= level for confidence in best.values()) for level in LEVELS},
        new_links=new_links,
        new_splits=new_splits,
    )


def _listened(rows: Iterable[tuple[Any, ...]], words: list[Word]) -> Iterator[tuple[Any, ...]]:
    """Pass touchpoints on, and note what they say about consent to stitching."""
    for row in rows:
        word = consent_word(row)
        if word is not None:
            words.append(word)
        yield row


def consent_word(row: tuple[Any, ...]) -> Word | None:
    """Return what a touchpoint says about stitching, as ``nba.consent`` reads it; None where it says nothing.

    Only consent by name counts, whatever ground there may be to presume it; a withdrawal without a channel takes
    everything.
    """
    identity, at, kind = row[0], row[1], word_of(row[3] or "")
    if kind not in (GIVEN, CONFIRMED, *WITHDRAWALS):
        return None
    channel, action, text = row[4], row[12], row[13]
    properties = orjson.loads(text) if text else None
    named = properties.get("channel") if isinstance(properties, dict) else None
    about = folded(named if isinstance(named, str) and named.strip() else channel or "")
    if kind in (GIVEN, CONFIRMED):
        return Word(identity, at, True) if about == CHANNEL else None
    is_meant = about == CHANNEL or (not about and not action)
    return Word(identity, at, False) if is_meant else None


def _new(links: Iterable[LinkRow], before: Iterable[LinkRow]) -> list[LinkRow]:
    there = {link[:3] for link in before if link.how == STITCHED}
    return [link for link in links if link[:3] not in there]


def _fallen(before: Iterable[LinkRow], splits: Iterable[SplitRow], found: Stitched, now: int) -> list[SplitRow]:
    """Split what an earlier run linked and this one, which knows touchpoints that came late, would not."""
    linked = {_pair(link) for link in found.links}
    over = {_pair(split) for split in splits}
    stale = {_pair(link) for link in before if link.how == STITCHED and _is_ours(link)} - linked - over
    return [SplitRow(a, b, now, "touchpoints that came later speak against it", BY) for a, b in sorted(stale)]


def _standing(found: Stitched) -> dict[Pair, float]:
    """Highest confidence of each pair that nothing has parted."""
    over = {_pair(split) for split in found.splits}
    best: dict[Pair, float] = {}
    for link in found.links:
        pair = _pair(link)
        if pair not in over and link.confidence is not None:
            best[pair] = max(best.get(pair, 0.0), link.confidence)
    return best


def _is_ours(link: LinkRow) -> bool:
    told = orjson.loads(link.properties) if link.properties else None
    return isinstance(told, dict) and told.get("by") == BY


def _pair(row: LinkRow | SplitRow) -> Pair:
    return min(row[0], row[1]), max(row[0], row[1])
