import json

import pytest

from features.touchpoints.touchpoints import TouchpointRules
from serving.intake.delivery import quarantine_rows
from serving.intake.native import MOST_EVENTS, read_touchpoints
from serving.problems import Problem

NOW = 1_764_000_000_000_000
RULES = TouchpointRules()
GOOD = {"identity": "crm:1", "occurred_at": "2025-10-01T00:00:00Z", "kind": "visit", "touchpoint_id": "a"}


def read(raw):
    return read_touchpoints(raw, now_us=NOW, rules=RULES)


def rows_of(found):
    return [each.touchpoint for each in found.messages]


def test_one_object_is_one_touchpoint():
    found = read(json.dumps(GOOD).encode())
    assert not found.is_list and not found.refused
    assert rows_of(found)[0].identity == "crm:1"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (
            b'{"identity": "crm:1", "occurred_at": "soon", "kind": "visit"}',
            "occurred_at 'soon' is not a time",
        ),
        (b'{"identity": "crm:1", "kind": "visit", "occurred_at": NaN}', "/occurred_at: is NaN"),
        (b'{"identity": "\\ud800", "kind": "visit"}', "surrogate"),
        (b'{"identity": "a", "identity": "b"}', "stands twice"),
        (b'{"identity": "\xff"}', "UTF-8"),
        (b'{"identity": "x", "kind": "visit", "occurred_at": 99999999999999}', "occurred_at"),
        (b'"a text"', "is not a JSON object"),
        (b"null", "is not a JSON object"),
        (b"[" * 70 + b"]" * 70, "levels deep"),
        (b'{"kind" "visit"}', "is not JSON"),
        (b'{"identity": "x", "kind": "visit", "occurred_at": 0, "value": 1e400}', "/value"),
    ],
)
def test_a_bad_one_is_kept_aside_with_its_bytes_and_its_neighbours_are_good(bad, reason):
    neighbours = [json.dumps({**GOOD, "touchpoint_id": name}).encode() for name in "ab"]
    found = read(b"[" + neighbours[0] + b",\n" + bad + b" , " + neighbours[1] + b"]")
    assert [row.touchpoint_id for row in rows_of(found)] == ["a", "b"]
    refusal = found.refused[0]
    assert (len(found.refused), refusal.index, refusal.raw) == (1, 1, bad)
    assert reason in refusal.reason
    kept = quarantine_rows(found.refused, NOW, "here")[0]
    spelt = json.loads(kept.raw)
    assert spelt == json.loads(bad) if isinstance(spelt, dict) else isinstance(spelt, str)
    assert (kept.table, kept.line, kept.file) == ("touchpoints", 2, "here")


def test_a_body_that_is_no_list_is_one_refusal():
    found = read(b'{"identity": ')
    assert not found.is_list
    assert json.loads(quarantine_rows(found.refused, NOW, "here")[0].raw) == '{"identity": '


def test_equal_bad_ones_are_counted_apart():
    rows = quarantine_rows(read(b'[{"kind": 1}, {"kind": 1}, {"kind": 2}]').refused, NOW, "here")
    assert [row.nth for row in rows] == [0, 1, 0]


def test_what_has_no_id_gets_one_from_its_content():
    nameless = {key: value for key, value in GOOD.items() if key != "touchpoint_id"}
    once = rows_of(read(json.dumps(nameless).encode()))[0].touchpoint_id
    twice = [row.touchpoint_id for row in rows_of(read(json.dumps([nameless, nameless]).encode()))]
    assert twice[0] == once and twice[1] != once
    assert [row.touchpoint_id for row in rows_of(read(json.dumps([nameless, nameless]).encode()))] == twice


def test_the_bytes_of_a_huge_refusal_are_cut():
    row = quarantine_rows(read(b'{"identity": "' + b"x" * 200_000 + b'"').refused, NOW, "here")[0]
    assert len(row.raw) < 40_000


def test_too_many_are_refused_before_they_are_judged():
    with pytest.raises(Problem, match="send at most"):
        read(b"[" + b",".join([b"1"] * (MOST_EVENTS + 1)) + b"]")
    with pytest.raises(Problem, match="send at most"):
        read(b"[" + b",".join([b"NaN"] * (MOST_EVENTS + 1)) + b"]")


def test_an_empty_list_is_a_list_of_none():
    assert read(b"[]").is_list and read(b"[]").received == 0
