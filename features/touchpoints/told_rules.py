"""What one contact's history says under rules: direction by kind, money in one currency, topics by property."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import orjson
from numpy.typing import NDArray

from features.amounts import known
from features.codes import NONE, Codes
from features.texts import Texts, alike
from features.topics import TopicRule, Topics
from features.touchpoints.order import Columns
from features.touchpoints.rows import known_rate
from features.touchpoints.told import BY_RULE, GIVEN, NOT_ASKED, OUTBOUND, Names, Told, asked, filled

if TYPE_CHECKING:
    from features.touchpoints.touchpoints import TouchpointRules

_NO_CODE, _NO_NUMBER = np.full(1, NONE, dtype=np.int32), np.full(1, np.nan)
_ZERO, _NOTHING = np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32)


def under(told: Told, rules: TouchpointRules) -> Columns:
    """Fields of ``Touchpoints`` under rules."""
    n = len(told.occurred_at)
    no_code, no_number, no_text = _absent(n)
    if told.properties is not None:
        told = with_topics(told, rules.topic_rules)
    names = told.names
    value, margin, duration = (
        None if each is None else known(each) for each in (told.value, told.margin, told.duration)
    )
    if told.currency is not None:
        rates = _rates(told.currency, names.currencies, rules)
        value = None if value is None else value * rates
        margin = None if margin is None else margin * rates
    is_ours = names.is_ours.get(rules.outbound)
    if is_ours is None:
        is_ours = _is_ours(names, rules)
    outbound = is_ours.take(told.kind)
    if told.direction is not None:
        outbound = np.where(told.direction == 0, outbound, told.direction == OUTBOUND)
    return {
        "contacts": [told.identity],
        "start": np.array((0, n)),
        "occurred_at": told.occurred_at,
        "touchpoint_id": told.ids,
        "kind": told.kind,
        "kinds": names.kinds,
        "channel": no_code if told.channel is None else told.channel,
        "channels": names.channels,
        "outbound": outbound,
        "value": no_number if value is None else value,
        "margin": no_number if margin is None else margin,
        "duration": no_number if duration is None else duration,
        "decision": no_code if told.decision is None else told.decision,
        "decisions": told.decisions,
        "action": no_code if told.action is None else told.action,
        "actions": names.actions,
        "topic_start": alike(_ZERO, n + 1) if told.topic_start is None else told.topic_start,
        "topic": _NOTHING if told.topic is None else told.topic,
        "topics": names.topics,
        "properties": no_text if told.properties is None else told.properties,
        "visible_from": None,
        "visible_to": None,
    }


def with_topics(told: Told, rules: tuple[TopicRule, ...]) -> Told:
    """Return the same with topics by these rules where the source gave none."""
    mark = fingerprint(rules)
    properties = told.properties
    if properties is None or is_asked(told, rules):
        return told
    whence = asked(told).copy()
    start = filled(told.topic_start, len(told) + 1, np.int64(0)).tolist()
    lists = [[] if told.topic is None else told.topic[low:high].tolist() for low, high in pairwise(start)]
    codes, topics = Codes(told.names.topics), _topics(rules)
    stale = (whence == NOT_ASKED) | ((whence == BY_RULE) & (told.fingerprint != mark))
    for row in np.flatnonzero(stale).tolist():
        found = topics.of(properties[row])
        lists[row] = [code for name in orjson.loads(found or "[]") if (code := codes(name)) != NONE]
    whence[stale] = BY_RULE if rules else NOT_ASKED
    kinds, channels, actions, _, currencies = told.names.lists()
    return replace(
        told,
        names=Names(kinds, channels, actions, codes.names, currencies),
        topic_start=np.cumsum([0, *map(len, lists)]),
        topic=np.array([code for each in lists for code in each], dtype=np.int32),
        asked=whence,
        fingerprint=mark,
        unasked=0 if rules else sum(bool(properties[row]) for row in np.flatnonzero(whence != GIVEN).tolist()),
    )


def is_asked(told: Told, rules: tuple[TopicRule, ...]) -> bool:
    """Whether topics by these rules have been found for every touchpoint."""
    mark = fingerprint(rules)
    return told.properties is None or (told.fingerprint == mark and not (mark and told.unasked))


def fingerprint(rules: tuple[TopicRule, ...]) -> int:
    """Return a number that tells rules apart; 0 for none."""
    return _fingerprint(rules) if rules else 0


@lru_cache(maxsize=16)
def _fingerprint(rules: tuple[TopicRule, ...]) -> int:
    content = orjson.dumps([[rule.property, rule.topic, rule.matches, rule.contains] for rule in rules])
    return int.from_bytes(blake2b(content, digest_size=7).digest(), "little") + 1


@lru_cache(maxsize=16)
def _topics(rules: tuple[TopicRule, ...]) -> Topics:
    return Topics(rules)


def _is_ours(names: Names, rules: TouchpointRules) -> NDArray[np.bool_]:
    flags = np.array([rules.is_outbound(kind, None) for kind in (*names.kinds, "")], dtype=np.bool_)
    names.is_ours[rules.outbound] = flags
    return flags


def _rates(currency: NDArray[np.int32], currencies: list[str], rules: TouchpointRules) -> NDArray[np.float64]:
    rates = np.ones(len(currencies) + 1)
    for code in set(currency.tolist()) - {NONE}:
        rates[code] = known_rate(currencies[code], rules)
    found: NDArray[np.float64] = rates[currency]
    return found


@lru_cache(maxsize=4096)
def _absent(n: int) -> tuple[NDArray[np.int32], NDArray[np.float64], Texts[str | None]]:
    """Return what columns without codes, numbers and texts are: histories of one length share them."""
    code, number = alike(_NO_CODE, n), alike(_NO_NUMBER, n)
    return code, number, Texts(b"", alike(_ZERO, n), code)
