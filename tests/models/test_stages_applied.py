"""Claims about the rules applied to touchpoints: one pass says what the rules say of each kind that was seen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.times import DAY
from features.topics import ancestors
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from models.stages.applied import apply_rules
from models.stages.rules import StageRule, StageRules, rule_stage

AS_OF = 1_000 * DAY
RULES = StageRules(
    ("none", "late", "early", "never"),
    (
        StageRule("late", ("order", "return"), 30 * DAY),
        StageRule("early", ("visit", "order"), 90 * DAY),
        StageRule("never", ("fax",), 400 * DAY),
    ),
)
KINDS = ("visit", "order", "return", "email_sent", "other")
TOPICS = (
    None, '["pumps"]', '["pumps/industrial"]', '["pumps/industrial","pumps/garden"]', '["saws","saws"]', '["a//b"]',
)  # fmt: skip

ages = st.one_of(
    st.integers(1, 500 * DAY), st.sampled_from([1, 30 * DAY, 30 * DAY + 1, 90 * DAY, 90 * DAY + 1, 400 * DAY])
)
seen = st.lists(st.tuples(st.sampled_from(KINDS), ages, st.sampled_from(TOPICS), st.booleans()), max_size=30)


def touchpoints(rows):
    return Touchpoints.from_rows(
        [
            ("crm:1", AS_OF - age, f"{n}", kind, None, "outbound" if ours else "inbound", topics, *[None] * 7)
            for n, (kind, age, topics, ours) in enumerate(rows)
        ],
        TouchpointRules(),
    )


def by_hand(t):
    """What the rules say, touchpoint by touchpoint."""
    kinds, times = [t.kinds[code] for code in t.kind], t.occurred_at.tolist()
    last = dict(zip(kinds, times, strict=True))
    counts: dict[str, int] = {}
    lasts: dict[str, dict[str, int]] = {}
    for row, (kind, at) in enumerate(zip(kinds, times, strict=True)):
        own = {t.topics[code] for code in t.topic[t.topic_start[row] : t.topic_start[row + 1]]}
        if at < AS_OF - 400 * DAY or t.outbound[row]:
            continue
        for topic in own | {wider for each in own for wider in ancestors(each)}:
            counts[topic] = counts.get(topic, 0) + 1
            lasts.setdefault(topic, {})[kind] = at

    def stage(seen):
        return rule_stage(RULES, {kind: (AS_OF - at) / DAY for kind, at in seen.items()})

    strongest = sorted(counts, key=lambda topic: (-counts[topic], topic))
    return stage(last), {topic: stage(lasts[topic]) for topic in strongest}, {k: kinds.count(k) for k in last}


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """Hypothesis would take the time of the compiler for that of a test."""
    apply_rules(RULES, touchpoints([]), AS_OF, 1)


@settings(deadline=None)
@given(seen)
def test_one_pass_finds_what_the_rules_say_of_every_touchpoint(rows):
    t = touchpoints(rows)
    stage, by_topic, counts = by_hand(t)
    found = apply_rules(RULES, t, AS_OF, 99)
    assert (found.stage, found.counts) == (stage, counts)
    # The order is part of an answer.
    assert list(found.by_topic.items()) == list(by_topic.items())
    assert list(apply_rules(RULES, t, AS_OF, 2).by_topic) == list(by_topic)[:2]


def test_what_happens_at_or_after_as_of_is_not_seen():
    t = touchpoints([("order", 0, '["pumps"]', False), ("order", -DAY, '["pumps"]', False)])
    assert apply_rules(RULES, t, AS_OF, 9) == ("none", {}, {})


def test_without_rules_there_is_one_stage():
    found = apply_rules(StageRules(("all",), ()), touchpoints([("order", DAY, '["pumps"]', False)]), AS_OF, 9)
    assert (found.stage, found.by_topic) == ("all", {})


def test_many_lists_of_names_do_not_pile_up():
    rules = StageRules(RULES.names, RULES.rules)
    for n in range(1100):
        apply_rules(rules, touchpoints([(f"kind {n}", DAY, f'["topic {n}"]', False)]), AS_OF, 9)
    assert max(len(rules.kinds_met), len(rules.topics_met)) <= 1024
    assert rules == RULES
