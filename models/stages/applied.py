"""The rules applied to a contact's touchpoints: one compiled pass finds its stage, and its stage of each topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from features.compiled import I32, I64, Flags, compiled_for
from features.topics import ancestors
from features.touchpoints.touchpoints import Touchpoints
from models.stages.rules import StageRules

_MOST_MET = 1024


class Applied(NamedTuple):
    """What rules find in the touchpoints of one contact."""

    stage: str
    """By what was seen in either direction: the first rule that holds, else the first name."""
    by_topic: Mapping[str, str]
    """By what the contact itself did about a topic, those with the most touchpoints first, equal ones by name."""
    counts: Mapping[str, int]
    """Touchpoints by kind, of all times."""


class _About(NamedTuple):
    """What topics of touchpoints are about: themselves, and what they lie within."""

    names: tuple[str, ...]
    start: I64
    code: I32
    """Codes into ``names`` of each topic: ``start[i]`` and on."""


def apply_rules(rules: StageRules, touchpoints: Touchpoints, as_of: int, most_topics: int) -> Applied:
    """Apply rules to one contact's touchpoints strictly before ``as_of`` (microseconds).

    A topic counts by the touchpoints within the longest of the rules' windows. What is about pumps/industrial is about
    pumps too, and counts once.
    """
    t, about = touchpoints, _about(rules, tuple(touchpoints.topics))
    n_kinds, n_topics, none = len(t.kinds), len(about.names), len(rules.rules)
    out = np.zeros(n_kinds + 1 + 3 * n_topics, dtype=np.int64)
    now = np.array((as_of, n_kinds, n_topics), dtype=np.int64)
    _apply(
        out, now, t.occurred_at, t.kind, t.outbound, t.topic_start, t.topic,
        _naming(rules, t.kinds), rules.within, about.start, about.code,
    )  # fmt: skip
    found = out.tolist()
    counted, first = found[n_kinds + 1 : n_kinds + 1 + n_topics], found[n_kinds + 1 + n_topics :]
    stages = (*(rule.name for rule in rules.rules), rules.names[0])
    topics = [code for code in range(n_topics) if counted[code]]
    topics.sort(key=lambda code: (-counted[code], about.names[code]))
    return Applied(
        stage=stages[min(found[n_kinds], none)],
        by_topic={about.names[code]: stages[first[code]] for code in topics[:most_topics]},
        counts={kind: n for kind, n in zip(t.kinds, found[:n_kinds], strict=True) if n},
    )


def _naming(rules: StageRules, kinds: Sequence[str]) -> Flags:
    """Say whether each rule names each kind, kind by kind; contacts have kinds in many orders, but have the same."""
    met = rules.kinds_met
    named = [met.get(kind) or _named_by(rules, kind) for kind in kinds] if rules.rules else ()
    return np.frombuffer(b"".join(named), dtype=np.bool_)


def _named_by(rules: StageRules, kind: str) -> bytes:
    if len(rules.kinds_met) >= _MOST_MET:
        rules.kinds_met.clear()
    known = rules.kinds_met[kind] = bytes(kind in rule.seen for rule in rules.rules)
    return known


def _about(rules: StageRules, topics: tuple[str, ...]) -> _About:
    known: _About | None = rules.topics_met.get(topics)
    if known is None:
        if len(rules.topics_met) >= _MOST_MET:
            rules.topics_met.clear()
        known = rules.topics_met[topics] = _find_about(topics)
    return known


def _find_about(topics: tuple[str, ...]) -> _About:
    about = [(name, *ancestors(name)) for name in topics]
    names = tuple(dict.fromkeys(name for each in (topics, *about) for name in each))
    place = {name: code for code, name in enumerate(names)}
    return _About(
        names,
        start=np.cumsum([0, *map(len, about)], dtype=np.int64),
        code=np.array([place[name] for each in about for name in each], dtype=np.int32),
    )


@compiled_for(*[np.int64] * 2, np.int32, np.bool_, np.int64, np.int32, np.bool_, *[np.int64] * 2, np.int32)
def _apply(
    out: I64, now: I64, occurred_at: I64, kind: I32, outbound: Flags, topic_start: I64, topic: I32,
    names: Flags, within: I64, about_start: I64, about: I32,
) -> bool:  # fmt: skip
    """Fill ``out``, which is 0: counts by kind, the first rule that holds; by topic its count, rule and last row."""
    as_of, n_kinds, n_topics = now[0], now[1], now[2]
    n_rules, longest = len(within), np.int64(0)
    for rule in range(n_rules):
        longest = max(longest, within[rule])
    at_count = n_kinds + 1
    at_rule, at_row = at_count + n_topics, at_count + 2 * n_topics
    out[n_kinds] = n_rules
    for code in range(n_topics):
        out[at_rule + code] = n_rules
    for row in range(len(occurred_at)):
        if occurred_at[row] >= as_of:
            break
        age, code = as_of - occurred_at[row], kind[row]
        out[code] += 1
        if age > longest:
            continue
        found = 0
        while found < n_rules and not (names[code * n_rules + found] and age <= within[found]):
            found += 1
        out[n_kinds] = min(out[n_kinds], found)
        if outbound[row]:
            continue
        for i in range(topic_start[row], topic_start[row + 1]):
            for j in range(about_start[topic[i]], about_start[topic[i] + 1]):
                its = about[j]
                if out[at_row + its] != row + 1:
                    out[at_row + its] = row + 1
                    out[at_count + its] += 1
                    out[at_rule + its] = min(out[at_rule + its], found)
    return True
