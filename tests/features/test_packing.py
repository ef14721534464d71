from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.topics import TopicRule
from features.touchpoints.packing import MAGIC, PackError, pack, unpack
from features.touchpoints.told import Told
from features.touchpoints.told_rules import with_topics
from features.touchpoints.touchpoints import Touchpoints
from tests.examples import examples
from tests.features.touchpoint_claims import is_sound, said
from tests.features.worlds import NOW, RULES, histories, row

RULED = replace(
    RULES, topic_rules=(TopicRule("search", "saws", contains=("saw",)), TopicRule("url", "a/b", matches="*p*"))
)
OTHERS = replace(RULED, topic_rules=RULED.topic_rules[:1], outbound=("chat",), rates={"USD": 2.0})
PROPERTIES = st.sampled_from([None, {"search": "saw 7"}, {"url": "/page"}, {"search": "oil", "url": "pp"}, {}])


@st.composite
def contacts(draw, most=25):
    """Rows of one contact, in the order of the store."""
    rows = draw(histories(("ann",), most))
    filled = [row("ann", r[1], int(r[2]), properties=draw(PROPERTIES))[-1:] for r in rows]
    if draw(st.booleans()):
        rows = [r[:13] + properties for r, properties in zip(rows, filled, strict=True)]
    return sorted(rows, key=lambda r: r[:3])


def read(told, rules=RULES):
    t = Touchpoints.from_told(told, rules)
    is_sound(t)
    return said(t)


def of_rows(rows, rules=RULES):
    return said(Touchpoints.from_rows(rows, rules))


@settings(max_examples=examples(80), deadline=None)
@given(contacts().filter(bool), st.sampled_from([RULES, RULED, OTHERS]), st.sampled_from([(), RULES, RULED, OTHERS]))
def test_what_was_packed_says_what_its_rows_say_under_any_rules(rows, rules, packed_under):
    told = Told.of(rows)
    if packed_under:
        told = with_topics(told, packed_under.topic_rules)
    blob = pack(told)
    assert read(unpack(blob), rules) == of_rows(rows, rules)
    assert pack(unpack(blob)) == blob


@settings(max_examples=examples(80), deadline=None)
@given(contacts(40).filter(lambda rows: len(rows) > 1), st.data(), st.sampled_from([RULES, RULED]))
def test_what_comes_later_is_packed_behind_what_is_there(rows, data, rules):
    cuts = sorted(data.draw(st.sets(st.integers(1, len(rows) - 1), max_size=3)))
    parts = [rows[low:high] for low, high in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    told = Told.of(parts[0])
    for part in parts[1:]:
        told = unpack(pack(with_topics(told, data.draw(st.sampled_from([RULES, RULED])).topic_rules)))
        assert told.is_before(part)
        told = unpack(pack(told.followed_by(part)))
    assert read(told, rules) == of_rows(rows, rules)
    assert not told.is_before(parts[-1])


@settings(max_examples=examples(50), deadline=None)
@given(contacts().filter(bool), st.sampled_from([RULES, RULED]), st.data())
def test_a_cut_is_strictly_before_a_moment(rows, rules, data):
    before = data.draw(st.sampled_from([r[1] + shift for r in rows for shift in (0, 1)]))
    told = unpack(pack(Told.of(rows))).until(before)
    assert (read(told, rules) if len(told) else []) == of_rows([r for r in rows if r[1] < before], rules)


def test_a_decision_that_becomes_known_gives_its_touchpoints_their_action():
    rows = [
        row("ann", 1, 1, decision="d1"),
        row("ann", 2, 2, decision="d2", action="own"),
        row("ann", 3, 3, decision="d3"),
    ]
    told = unpack(pack(Told.of(rows)))
    assert told.is_open and told.undecided() == ["d1", "d3"]
    told = unpack(pack(told.decided({"d1": "call", "d2": "mail"})))
    assert [s["action"] for s in read(told)] == ["call", "own", None] and told.undecided() == ["d3"]
    told = unpack(pack(told.decided({"d3": "call"})))
    assert [s["action"] for s in read(told)] == ["call", "own", "call"] and not told.is_open


def test_a_currency_without_a_rate_matters_only_where_it_is_read():
    told = unpack(pack(Told.of([row("ann", 1, 1, value=1), row("ann", 2, 2, value=3, currency="CHF")])))
    assert [each["value"] for each in read(told)] == [1, None]
    assert read(told.until(2))[0]["value"] == 1


def test_histories_with_the_same_names_share_them():
    one, other = (unpack(pack(Told.of([row(name, NOW, 1, "fax", "web", decision=name)]))) for name in ("ann", "bob"))
    assert one.names is other.names and one.decisions == ["ann"]


def test_a_long_history_takes_little_more_than_its_texts():
    rows = [row("ann", n, n, properties={"url": f"/page/{n % 50}"}) for n in range(1000)]
    told = Told.of(rows)
    for _ in range(20):
        told = unpack(pack(told))
    n_bytes = len(pack(told.followed_by([row("ann", 2000, 2000, properties={"url": "/page/1"})])))
    assert n_bytes < 1000 * (8 + 5 * 4 + 1 + 6) + 5000


@given(st.binary(max_size=300))
def test_other_bytes_are_refused(blob):
    with pytest.raises(PackError, match="read the rows"):
        unpack(blob)


BLOB = pack(Told.of([row("ann", n, n, "fax", "web", value=n, properties={"a": n}) for n in range(20)]))


@settings(max_examples=examples(150))
@given(st.integers(0, len(BLOB) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(place, change):
    changed = bytearray(BLOB)
    changed[place] ^= change
    with pytest.raises(PackError, match="read the rows"):
        unpack(bytes(changed))


@given(st.integers(0, len(BLOB) - 1))
def test_lost_bytes_are_noticed(n):
    with pytest.raises(PackError, match="read the rows"):
        unpack(BLOB[:n])


def test_another_version_is_told_from_damage():
    words = np.frombuffer(BLOB, dtype=np.int64).copy()
    words[0] = int.from_bytes(b"nbapack0", "little")
    assert words[0] != MAGIC
    with pytest.raises(PackError, match="this version"):
        unpack(words.tobytes())
