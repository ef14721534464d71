"""What stitching takes for evidence, what ends a link, and when."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.identity.identity import Identities
from features.identity.known_names import KnownNames
from features.identity.sightings import Sightings
from features.identity.stitching import Stitched, Word, stitch
from features.rows.row_types import LinkRow
from features.times import DAY, HOUR
from features.touchpoints.touchpoints import TouchpointRules
from tests.examples import examples

BEGIN = 20_000 * DAY
HOME = {"network": "192.0.2.7", "place": "Bern", "device": "Pixel 8"}
RULES = TouchpointRules(visitor_stitching=True)


def seen(identity: str, days: Iterable[float], **properties: Any) -> list[tuple[Any, ...]]:
    told = json.dumps({**HOME, **properties})
    return [
        (identity, BEGIN + int(day * DAY), f"{identity}{day}", "page_view", "web", *[None] * 8, told) for day in days
    ]


def agree(*identities: str, at: float = 0.0) -> list[Word]:
    return [Word(identity, BEGIN + int(at * DAY), True) for identity in identities]


def found(rows: Iterable[tuple[Any, ...]], words: Iterable[Word], *links: LinkRow, **options: Any) -> Stitched:
    return stitch(Sightings.of(rows), words, links, **options)


def joined(result: Stitched, a: str, b: str, day: float = 1000.0) -> bool:
    identities = Identities.of(result.links, result.splits, RULES)
    return b in identities.members(a, BEGIN + int(day * DAY))


FIRST = seen("cookie:a", range(0, 20, 2))
SECOND = seen("cookie:b", range(21, 40, 2))
BOTH = agree("cookie:a", "cookie:b")


def test_a_cookie_that_took_over_is_joined_not_before_it_came() -> None:
    result = found(FIRST + SECOND, BOTH)
    assert joined(result, "cookie:a", "cookie:b")
    assert min(link.seen_at for link in result.links) >= BEGIN + 21 * DAY
    assert not joined(result, "cookie:a", "cookie:b", 21)


def test_a_link_tells_its_evidence() -> None:
    link = found(FIRST + SECOND, BOTH).links[-1]
    told = json.loads(link.properties or "")
    assert (link.how, link.identity_a, link.identity_b) == ("stitched", "cookie:a", "cookie:b")
    assert link.confidence is not None
    assert 0.9 <= link.confidence < 1
    assert told["network"] == "192.0.2.7"
    assert "10 days" in told["why"]


@pytest.mark.parametrize("words", [[], agree("cookie:a"), agree("cookie:b")])
def test_without_the_consent_of_both_nobody_is_joined(words: list[Word]) -> None:
    assert found(FIRST + SECOND, words) == ([], [])


def test_consent_that_comes_late_joins_from_then_on() -> None:
    result = found(FIRST + SECOND, agree("cookie:b") + agree("cookie:a", at=60))
    assert not joined(result, "cookie:a", "cookie:b", 60)
    assert joined(result, "cookie:a", "cookie:b", 60.1)


def test_a_withdrawal_ends_it_and_leaves_what_was() -> None:
    result = found(FIRST + SECOND, [*BOTH, Word("cookie:a", BEGIN + 50 * DAY, False)])
    assert joined(result, "cookie:a", "cookie:b", 50)
    assert not joined(result, "cookie:a", "cookie:b", 50.1)
    assert "withdrawn" in result.splits[0].reason


def test_a_withdrawal_under_a_name_holds_for_its_cookies() -> None:
    login = LinkRow("cookie:b", "crm:7", BEGIN + 30 * DAY, "login")
    result = found(FIRST + SECOND, [*BOTH, Word("crm:7", BEGIN + 50 * DAY, False)], login)
    assert not joined(result, "cookie:a", "cookie:b")


@pytest.mark.parametrize("other", [{"network": "192.0.2.8"}, {"place": "Basel"}, {"device": "Pixel 7"}])
def test_network_place_and_device_must_all_be_the_same(other: dict[str, str]) -> None:
    assert not found(FIRST + seen("cookie:b", range(21, 40, 2), **other), BOTH).links


def test_a_touchpoint_that_lacks_one_of_the_three_says_nothing() -> None:
    assert not len(Sightings.of(seen("cookie:a", [1], place=None)))
    assert not len(Sightings.of(seen("cookie:a", [1], network="  ")))


def test_the_other_names_of_the_properties_are_understood() -> None:
    text = json.dumps({"ip": "192.0.2.7", "city": "BERN", "user_agent": "pixel 8"})
    other = [(*row[:13], text) for row in SECOND]
    assert joined(found(FIRST + other, BOTH), "cookie:a", "cookie:b")


def test_software_and_addresses_that_change_by_themselves_do_not_count() -> None:
    first = seen("cookie:a", range(0, 20, 2), network="2001:db8::1:2:3", device="Pixel 8 Chrome/118.0")
    second = seen("cookie:b", range(21, 40, 2), network="2001:db8::9:9:9", device="Pixel 8 Chrome/119.0.1")
    assert joined(found(first + second, BOTH), "cookie:a", "cookie:b")


def test_two_that_live_on_beside_each_other_are_two() -> None:
    result = found(FIRST + seen("cookie:b", range(1, 40, 2)), BOTH)
    assert not any(joined(result, "cookie:a", "cookie:b", day) for day in range(50))


def test_who_comes_back_was_not_taken_over() -> None:
    result = found(FIRST + SECOND + seen("cookie:a", [45]), BOTH)
    assert joined(result, "cookie:a", "cookie:b", 45)
    assert not joined(result, "cookie:a", "cookie:b", 45.1)
    assert "seen again" in result.splits[0].reason


def test_of_two_who_could_be_it_nobody_is_guessed() -> None:
    sister = seen("cookie:s", [day + 0.3 for day in range(0, 20, 2)])
    result = found(FIRST + sister + SECOND, [*BOTH, *agree("cookie:s")])
    assert not any(link.confidence and link.confidence >= 0.9 for link in result.links)


def test_known_to_be_two_persons() -> None:
    logins = [LinkRow("cookie:a", "crm:1", BEGIN, "login"), LinkRow("cookie:b", "crm:2", BEGIN + 22 * DAY, "login")]
    result = found(FIRST + SECOND, BOTH, *logins)
    assert not joined(result, "cookie:a", "cookie:b")


def test_a_login_that_shows_two_persons_later_parts_them_then() -> None:
    logins = [LinkRow("cookie:a", "crm:1", BEGIN, "login"), LinkRow("cookie:b", "crm:2", BEGIN + 60 * DAY, "login")]
    result = found(FIRST + SECOND, BOTH, *logins)
    assert joined(result, "cookie:a", "cookie:b", 60)
    assert not joined(result, "cookie:a", "cookie:b", 60.1)


def test_a_cookie_of_several_persons_is_joined_with_nobody() -> None:
    logins = [LinkRow("cookie:a", f"crm:{n}", BEGIN + n * DAY, "login") for n in (1, 2)]
    assert not found(FIRST + SECOND, BOTH, *logins).links


def test_names_of_persons_are_never_stitched() -> None:
    rows = seen("crm:1", range(0, 20, 2)) + seen("crm:2", range(21, 40, 2))
    assert not found(rows, agree("crm:1", "crm:2")).links


def test_a_spot_that_more_than_the_limit_share_joins_nobody() -> None:
    names = [f"cookie:{n:03}" for n in range(30)]
    rows = [row for n, name in enumerate(names) for row in seen(name, [n * 2, n * 2 + 0.2])]
    result = found(rows, agree(*names), limit=25)
    identities = Identities.of(result.links, result.splits, RULES)
    assert all(identities.members(name, BEGIN + 900 * DAY) == (name,) for name in names)


def test_a_pair_that_a_person_split_is_not_joined_again() -> None:
    assert not found(FIRST + SECOND, BOTH, refused=[("cookie:b", "cookie:a")]).links


def test_a_gap_longer_than_the_window_joins_nobody() -> None:
    late = seen("cookie:b", range(200, 220, 2))
    assert not found(FIRST + late, BOTH).links


def test_nothing_is_nothing() -> None:
    assert found([], []) == ([], [])


NAMES = ("cookie:a", "cookie:b", "cookie:c", "crm:1", "crm:2")
moments = st.integers(0, 40 * 4).map(lambda quarter: quarter / 4)


@settings(max_examples=examples(300), deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from(NAMES[:3]), moments, st.sampled_from(["Pixel 8", "iPhone"])), max_size=20),
    words=st.lists(st.tuples(st.sampled_from(NAMES), moments, st.booleans()), max_size=6),
    links=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), moments), max_size=4),
    until=moments,
    data=st.data(),
)
def test_order_changes_nothing_and_the_future_tells_nothing(
    rows: list[tuple[str, float, str]],
    words: list[tuple[str, float, bool]],
    links: list[tuple[str, str, float]],
    until: float,
    data: st.DataObject,
) -> None:
    told = [row for name, day, device in rows for row in seen(name, [day], device=device)]
    said = [Word(name, BEGIN + int(day * DAY), stands) for name, day, stands in words]
    said += agree(*NAMES[:3])
    joins = [LinkRow(a, b, BEGIN + int(day * DAY), "login") for a, b, day in links if a != b]
    whole = found(told, said, *joins)
    turned = found(data.draw(st.permutations(told)), reversed(said), *reversed(joins))
    assert turned == whole
    border = BEGIN + int(until * DAY)
    before = found(
        [row for row in told if row[1] < border],
        [word for word in said if word.at < border],
        *[link for link in joins if link.seen_at < border],
    )
    assert before.links == [link for link in whole.links if link.seen_at < border]
    assert before.splits == [split for split in whole.splits if split.at < border]


def test_what_is_known_of_names() -> None:
    known = KnownNames()
    known.link("cookie:a", "crm:1")
    known.link("email:x", "cookie:a")
    assert "cookie:a" not in known.shared
    known.link("cookie:a", "crm:2")
    assert "cookie:a" in known.shared
    known.link("crm:1", "crm:2")
    assert "cookie:a" not in known.shared


def test_hours_do_not_make_days() -> None:
    result = found(seen("cookie:a", [0.1]) + seen("cookie:b", [0.1 + HOUR / DAY]), BOTH)
    assert not any(link.confidence and link.confidence >= 0.9 for link in result.links)
