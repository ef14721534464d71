"""Claims about contacts as they stood: every identity in one version at a time, with all of its touchpoints."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.identity.identity import Identities
from features.identity.link_rules import EVER, best_name
from features.identity.versions import Versions
from features.rows.row_types import LinkRow, SplitRow
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from tests.examples import examples
from tests.features import linked
from tests.features.linked import MOMENTS

NOW = MOMENTS[-1] + DAY
RULES = TouchpointRules()
seen = st.lists(st.tuples(linked.identity, linked.moment), max_size=15)


def recorded(seen: list[tuple[str, int]]) -> Touchpoints:
    rows = [(name, at, f"{n:02}", "visit", *[None] * 10) for n, (name, at) in enumerate(seen)]
    return Touchpoints.from_rows(rows, RULES)


def versions(
    t: Touchpoints, links: list[LinkRow], splits: list[SplitRow] | None = None, rules: TouchpointRules = RULES
) -> Versions:
    return Versions.of(t, Identities.of(links, splits or [], rules), {}, NOW)


@settings(max_examples=examples(500), deadline=None)
@given(seen, linked.links, linked.splits, linked.rules)
def test_every_version_has_the_touchpoints_of_its_members(
    seen: list[tuple[str, int]], links: list[LinkRow], splits: list[SplitRow], rules: TouchpointRules
) -> None:
    t = recorded(seen)
    identities = Identities.of(links, splits, rules)
    found = Versions.of(t, identities, {}, NOW)
    assert len({*found.names}) == len(found)
    for code in range(len(found)):
        members = found.members(code)
        mine = found.touchpoints.only(code)
        expected = sorted((at, f"{n:02}") for n, (name, at) in enumerate(seen) if name in members)
        assert list(zip(mine.occurred_at.tolist(), mine.touchpoint_id, strict=True)) == expected
        assert {identities.group(name) for name in members} == {identities.group(members[0])}
    for as_of in MOMENTS:
        codes = np.arange(len(t.contacts), dtype=np.int64)
        at = found.at(codes, np.full(len(codes), as_of, dtype=np.int64))
        assert found.holds(at, np.full(len(codes), as_of)).all()
        for name, code in zip(t.contacts, at.tolist(), strict=True):
            assert found.members(code) == identities.members(name, as_of)
        assert sorted({*at.tolist()}) == found.current(as_of).tolist()
    for code in found.current(NOW).tolist():
        assert found.names[code] == best_name(found.members(code), lambda _: False)


@settings(max_examples=examples(500), deadline=None)
@given(seen, linked.links, linked.splits, linked.moment)
def test_what_becomes_of_a_version_is_what_becomes_of_its_identities(
    seen: list[tuple[str, int]], links: list[LinkRow], splits: list[SplitRow], moment: int
) -> None:
    t = recorded(seen)
    identities = Identities.of(links, splits, RULES)
    found = Versions.of(t, identities, {}, NOW)
    codes = np.arange(len(found), dtype=np.int64)
    row, identity = found.seen_at(codes, np.full(len(codes), moment, dtype=np.int64))
    assert (np.diff(row) >= 0).all()
    for code in range(len(found)):
        own = [name for name in found.members(code) if name in t.contacts]
        later = {each for name in own for each in identities.members(name, moment)}
        assert sorted(t.contacts[i] for i in identity[row == code].tolist()) == sorted(later & {*t.contacts})


def test_an_unlinked_identity_has_one_version_for_ever() -> None:
    found = versions(recorded([("crm:1", 5)]), [])
    assert (found.names, found.members(0), found.end.tolist()) == (["crm:1"], ("crm:1",), [EVER])
    assert found.touchpoints.contacts == ["crm:1"]


def test_names_of_the_past_are_nobodys_of_today() -> None:
    found = versions(recorded([("cookie:1", DAY), ("crm:1", DAY)]), [LinkRow("cookie:1", "crm:1", 3 * DAY, "login")])
    assert found.names == [f"cookie:1\0{3 * DAY}", "crm:1", f"crm:1\0{3 * DAY}"]
    assert found.group.tolist() == [0, 0, 0]
    assert len(found.touchpoints) == 4
