"""Claims about the InfoCenter: what is shown suits the contact, never comes twice, and is logged with its chance."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from features.rows.row_types import ContactRow, DecisionRow, RecordRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, HOUR, parse_time
from nba.actions import DO_NOTHING, Catalogue
from nba.decision import Decision
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past
from nba.request import Request
from nba.settings import parse_settings

NOW = parse_time("2026-06-15T12:00:00Z")
TOML = """
[stages.rules]
evaluate = { seen = ["price_list"], within = "60d" }
need = { seen = ["page_view"], within = "90d" }
[actions.newsletter]
channel = "email"
topics = ["pumps"]
placements = ["outbound", "infocenter"]
[actions.call]
channel = "phone"
[content]
fresh_share = 0.25
plain_share = 0.5
"""
CATALOGUE = Catalogue.of(parse_settings(TOML))
DRAW = Draw(b"secret")
KNOWN = ("pumps", "pumps/industrial", "service")
UNKNOWN = ("valves", "saws", "oil", "lathes")


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


@pytest.fixture
def files(tmp_path: Any) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as opened:
        yield opened


def content(name: str, *topics: str, **more: Any) -> RecordRow:
    return RecordRow(name, 1, {"title": name, "topics": list(topics), **more})


def put(store: Store, *rows: RecordRow) -> None:
    with store.writing() as writing:
        writing.records("content", rows)


def view(who: str, at: int, *topics: str, **properties: Any) -> TouchpointRow:
    name = f"{who} {at} {topics} {properties}"
    more = json.dumps(properties) if properties else None
    return TouchpointRow(
        who, at, name, "page_view", topics=json.dumps(list(topics)) if topics else None, properties=more
    )


def seen(store: Store, *rows: TouchpointRow) -> None:
    with store.writing() as writing:
        writing.touchpoints(rows)


def ask(
    store: Store, who: str, as_of: int = NOW, *, log: bool = False, catalogue: Catalogue = CATALOGUE, **more: Any
) -> Decision:
    request = Request(who, placement="infocenter", **more)
    past = Past.read(
        store, who, as_of, catalogue.settings.touchpoints, memory_us=catalogue.memory_of(request.placement)
    )
    found = decide(request, past, None, catalogue, as_of, DRAW)
    if log and found.is_new:
        with store.writing() as writing:
            writing.decisions([found.row()])
    return found


def shown(found: Decision) -> list[str]:
    return [str(each.subject.content_id) for each in found.recommendations]


def slots(row: DecisionRow | None) -> Sequence[dict[str, Any]]:
    assert row is not None and row.properties is not None
    found = row.properties["slots"]
    assert isinstance(found, list)
    return found


def library(store: Store, n: int = 3) -> None:
    """Plain and promotional contents about every topic."""
    put(
        store,
        *(
            content(f"{topic} {i} {tone}", topic, tone=tone)
            for topic in (*KNOWN, *UNKNOWN)
            for i in range(n)
            for tone in ("plain", "promotional")
        ),
    )


def test_without_content_the_placement_is_ranked_like_any_other(store: Store) -> None:
    seen(store, view("c", NOW - DAY, "pumps"))
    found = ask(store, "c")
    assert found.policy != "infocenter" and "newsletter" in found.chances
    put(store, RecordRow("later", NOW, {"title": "T", "topics": ["pumps"]}))
    assert ask(store, "c").chances == found.chances
    assert shown(ask(store, "c", NOW + 1)) == ["later"]


def test_the_answer_and_the_log_say_what_is_shown_with_which_chance_and_why(store: Store) -> None:
    library(store)
    seen(store, view("c", NOW - DAY, "pumps"), view("c", NOW - 2 * DAY, "pumps"))
    found = ask(store, "c", log=True, limit=4, decision_id="mine")
    answer = found.to_json()
    assert [each["rank"] for each in answer["recommendations"]] == [1, 2, 3, 4]
    logged = store.decision("mine")
    assert logged is not None and logged.policy == logged.placement == "infocenter"
    assert sum((logged.chances or {}).values()) == pytest.approx(1.0)
    assert logged.probability == (logged.chances or {})[logged.action] and (logged.chances or {})[DO_NOTHING] == 0.0
    for each, slot in zip(answer["recommendations"], slots(logged), strict=True):
        assert each["content_id"] == slot["content_id"] and each["probability"] == slot["probability"] > 0
        assert each["action"] == slot["action"] == ("newsletter" if "pumps" in each["content_id"] else "infocenter")
        assert slot["promotional"] == ("promotional" in each["content_id"])
        assert slot["new"] == (not each["content_id"].startswith("pumps")), "service is as new to it as the others"
        about = "a topic that is new to the contact" if slot["new"] else "2 page views about pumps"
        assert each["reasons"][0].startswith(about)
    assert answer["recommendations"][0]["topic"] in (*KNOWN, *UNKNOWN)


def test_shares_hold_over_many_contacts(files: Store) -> None:
    library(files)
    n, limit = 240, 3
    seen(files, *(view(f"c{i}", NOW - DAY, "pumps", "service") for i in range(n)))
    new, promotional, first = 0, 0, Counter[bool]()
    for i in range(n):
        answer = slots(ask(files, f"c{i}", limit=limit).row())
        assert len(answer) == limit
        here = sum(slot["new"] for slot in answer)
        assert here in (0, 1), "three quarters of one slot are none or one"
        assert sum(slot["promotional"] for slot in answer) <= 1
        new, promotional = new + here, promotional + sum(slot["promotional"] for slot in answer)
        first[answer[0]["new"]] += 1
    # 0.75 of a slot for each contact, drawn independently: 4.5 standard errors.
    assert abs(new / n - 0.75) < 4.5 * np.sqrt(0.75 * 0.25 / n)
    assert abs(first[True] / n - 0.25) < 4.5 * np.sqrt(0.25 * 0.75 / n)
    assert promotional > 0.1 * n * limit, "what may be promotional is"


def test_what_was_shown_or_read_does_not_come_again_within_its_pause(files: Store) -> None:
    library(files)
    seen(files, view("c", NOW - DAY, "pumps", "service"))
    pause, last = 90 * DAY, dict[str, int]()
    rng = np.random.default_rng(2)
    for _ in range(30):
        as_of = max(last.values(), default=NOW) + int(rng.integers(1, 6) * DAY)
        # Something new of the contact ends a sticky answer.
        seen(files, view("c", as_of - HOUR, str(rng.choice(KNOWN))))
        for name in shown(ask(files, "c", as_of, log=True, limit=2)):
            assert as_of - last.get(name, -pause) > pause
            last[name] = as_of


def test_a_reload_shows_the_same_until_something_new_happens_and_is_not_logged_again(store: Store) -> None:
    library(store)
    seen(store, view("c", NOW - DAY, "pumps"))
    first = ask(store, "c", log=True)
    again = ask(store, "c", NOW + DAY)
    assert not again.is_new and again.decision_id == first.decision_id
    assert [(each.subject, each.probability) for each in again.recommendations] == [
        (each.subject, each.probability) for each in first.recommendations
    ]
    fewer = ask(store, "c", NOW + DAY, limit=2)
    assert not fewer.is_new and shown(fewer) == shown(first)[:2] and ask(store, "c", NOW + 7 * DAY).is_new
    seen(store, view("c", NOW + HOUR, "pumps"))
    other = ask(store, "c", NOW + DAY)
    assert other.is_new and not set(shown(other)) & set(shown(first))


def test_what_a_reload_may_not_show_any_more_is_left_out(files: Store) -> None:
    put(files, content("a", "pumps"), content("b", "pumps", valid_to="2026-06-16"), content("c", "pumps"))
    seen(files, view("me", NOW - DAY, "pumps"))
    first = ask(files, "me", log=True)
    assert sorted(shown(first)) == ["a", "b", "c"]
    assert shown(ask(files, "me", NOW + DAY)) == [name for name in shown(first) if name != "b"]
    ends = {each.subject.content_id: each.valid_until for each in first.recommendations}
    assert ends == {"a": NOW + 7 * DAY, "b": parse_time("2026-06-16"), "c": NOW + 7 * DAY}


def test_an_answer_does_not_bind_what_goes_out(files: Store) -> None:
    library(files)
    seen(files, view("c", NOW - DAY, "pumps"))
    ask(files, "c", log=True)
    past = Past.read(files, "c", NOW + HOUR, CATALOGUE.settings.touchpoints)
    found = decide(Request("c"), past, None, CATALOGUE, NOW + HOUR, DRAW)
    assert found.is_new and set(found.chances) == {DO_NOTHING, "newsletter", "call"}


@pytest.mark.parametrize(
    "touchpoint",
    [
        view("c", NOW - 90 * DAY, content_id="read"),
        view("c", NOW - 1, url="http://example.com/guide/?from=mail"),
        view("c", NOW - 1, url="/Guide"),
        view("c", NOW - 1)._replace(kind="email_sent", properties='{"content_id": ["other", "read"]}'),
    ],
)
def test_what_counts_as_seen(files: Store, touchpoint: TouchpointRow) -> None:
    put(files, content("read", "pumps", url="https://www.example.com/guide"), content("unread", "pumps"))
    assert sorted(shown(ask(files, "c"))) == ["read", "unread"]
    seen(files, touchpoint)
    assert shown(ask(files, "c")) == ["unread"]
    assert sorted(shown(ask(files, "c", touchpoint.occurred_at + 90 * DAY + 1))) == ["read", "unread"]


def test_what_was_deferred_counts_as_shown_once_it_was(files: Store) -> None:
    put(files, content("a", "pumps"), content("b", "pumps"))
    first = ask(files, "c", log=True, limit=1, defer=True, decision_id="d")
    over = NOW + 7 * DAY
    assert len(shown(ask(files, "c", over))) == 2
    with files.writing() as writing:
        writing.activate("d", NOW + HOUR)
    assert set(shown(ask(files, "c", over))) == {"a", "b"} - set(shown(first))


def test_nobody_draws_slots_anew_by_asking_in_other_ways(files: Store) -> None:
    put(files, *(content(f"{topic} {i}", topic) for topic in (*KNOWN, *UNKNOWN) for i in range(3)))
    seen(files, view("c", NOW - DAY, "pumps"))
    first = ask(files, "c", log=True, limit=3, decision_id="first")
    longest = shown(ask(files, "c", NOW + 1, limit=6, decision_id="of all"))
    assert longest[:3] == shown(first) and len(set(longest)) == 6
    for n, limit in enumerate([1, 5, 2, 6, 4] * 3, start=1):
        exclude = (f"x{n}",) if n % 2 else ()
        found = ask(files, "c", NOW + n * HOUR, log=True, limit=limit, decision_id=f"again {n}", exclude=exclude)
        assert shown(found) == longest[:limit], (n, limit)
    assert len({tuple(shown(ask(files, "c", NOW + 20 * HOUR, decision_id=f"id {n}"))) for n in range(9)}) == 1


def test_a_slot_that_a_request_takes_away_is_filled_by_the_draw_that_others_would_have(files: Store) -> None:
    put(files, *(content(f"p{n}", "pumps") for n in range(4)), *(content(f"v{n}", "valves") for n in range(4)))
    without_web = Catalogue.of(parse_settings(TOML + "[contact_policy.consent]\nweb = 'opt_in'\n"))
    seen(files, view("c", NOW - DAY, "pumps"))
    first = ask(files, "c", log=True, limit=4, decision_id="first", catalogue=without_web)
    assert {each.action for each in first.recommendations} == {"newsletter"}
    nothing = ask(files, "c", NOW + 1, limit=4, exclude=["newsletter"], decision_id="other", catalogue=without_web)
    assert nothing.action == DO_NOTHING and nothing.is_new
    assert shown(ask(files, "c", NOW + 2, limit=4, decision_id="third", catalogue=without_web)) == shown(first)


@pytest.mark.parametrize(
    ("more", "is_shown"),
    [
        ({"language": "de-CH"}, True), ({"language": "fr"}, False), ({"roles": ["buyer"]}, True),
        ({"roles": ["user"]}, False), ({"stages": ["need", "use"]}, True), ({"stages": ["evaluate"]}, False),
        ({"valid_from": "2026-06-15T12:00:00Z"}, True), ({"valid_from": "2026-06-15T12:00:01Z"}, False),
        ({"valid_to": "2026-06-15T12:00:01Z"}, True), ({"valid_to": "2026-06-15T12:00:00Z"}, False),
    ],
)  # fmt: skip
def test_only_what_suits_the_contact(files: Store, more: dict[str, Any], is_shown: bool) -> None:
    put(files, content("x", "pumps", **more))
    with files.writing() as writing:
        writing.contacts([ContactRow("c", 1, {"language": "de", "role": "buyer"})])
    seen(files, view("c", NOW - DAY, "pumps"))
    assert shown(ask(files, "c")) == (["x"] if is_shown else [])


def test_what_is_not_known_of_a_contact_speaks_against_nothing(files: Store) -> None:
    put(files, content("x", "pumps", language="fr"), content("y", "pumps", roles=["user"]))
    assert sorted(shown(ask(files, "nobody"))) == ["x", "y"]


def test_with_nothing_to_show_it_does_nothing_and_says_when_to_ask_again(files: Store) -> None:
    put(files, content("a", "pumps"), content("soon", "pumps", valid_from="2026-12-01"))
    seen(files, view("c", NOW - 10 * DAY, content_id="a"))
    found = ask(files, "c", log=True)
    assert found.action == DO_NOTHING and found.chances == {DO_NOTHING: 1.0} and found.recommendations == ()
    assert found.again_at == NOW + 80 * DAY + 1
    assert not ask(files, "c", NOW + DAY).is_new
    put(files, content("b", "pumps"))
    assert shown(ask(files, "c", NOW + DAY)) == ["b"]


def test_rules_that_hold_everywhere_hold_here(files: Store) -> None:
    catalogue = Catalogue.of(
        parse_settings(
            TOML
            + """
[contact_policy]
holds = [{ open = "complaint", until = "complaint_closed" }]
pauses = [{ outcome = "rejected", count = 1, pause = "30d", scope = "topic" }]
[contact_policy.consent]
email = "opt_in"
"""
        )
    )
    put(files, content("p", "pumps"), content("v", "valves"))
    assert {each.action for each in ask(files, "c").recommendations} == {"newsletter", "infocenter"}
    # Without consent to e-mail no action goes by it, but the place shows its content itself.
    assert {each.action for each in ask(files, "c", catalogue=catalogue).recommendations} == {"infocenter"}
    assert shown(ask(files, "c", catalogue=catalogue, exclude=("infocenter",))) == []
    seen(files, view("c", NOW - DAY, "valves")._replace(kind="rejected"))
    assert shown(ask(files, "c", catalogue=catalogue)) == ["p"]
    seen(files, view("c", NOW - DAY)._replace(kind="complaint"))
    assert shown(ask(files, "c", catalogue=catalogue)) == []
    seen(files, view("x", NOW - DAY)._replace(kind="unsubscribed"))
    assert shown(ask(files, "x")) == []


def test_who_objects_to_profiling_is_shown_what_says_nothing_of_it(files: Store) -> None:
    library(files)
    objection = view("c", NOW - DAY, channel="profiling")._replace(kind="consent_withdrawn")
    seen(files, *(view("c", NOW - DAY - i, "pumps") for i in range(20)), objection)
    found = ask(files, "c", limit=50)
    assert found.mode == "default" and {each.reasons[0] for each in found.recommendations} == {
        "chosen without knowing anything of the contact"
    }
    assert Counter(each.topic for each in found.recommendations).most_common(1)[0][1] <= 6


def test_the_same_question_has_the_same_answer_and_another_secret_another(files: Store) -> None:
    library(files)
    first = ask(files, "c", decision_id="d", limit=5)
    assert ask(files, "c", decision_id="d", limit=5).recommendations == first.recommendations
    past = Past.read(files, "c", NOW, CATALOGUE.settings.touchpoints)
    request = Request("c", placement="infocenter", decision_id="d", limit=5)
    others = {
        tuple(shown(decide(request, past, None, CATALOGUE, NOW, replace(DRAW, secret=bytes([n]))))) for n in range(10)
    }
    assert len(others) > 5


def test_what_is_drawn_comes_as_often_as_its_chance_says(files: Store) -> None:
    put(
        files,
        content("a", "pumps"),
        content("b", "service"),
        content("c", "valves"),
        content("d", "saws", tone="promotional"),
    )
    seen(files, *(view("c", NOW - day * DAY, "pumps", "service") for day in (1, 2)), view("c", NOW - DAY, "pumps"))
    past = Past.read(files, "c", NOW, CATALOGUE.settings.touchpoints)
    n, told, drawn = 600, dict[str, float](), Counter[str]()
    for i in range(n):
        request = Request("c", placement="infocenter", limit=2, decision_id=str(i))
        found = decide(request, past, None, CATALOGUE, NOW, DRAW)
        first = found.recommendations[0]
        drawn[str(first.subject.content_id)] += 1
        assert told.setdefault(str(first.subject.content_id), first.probability or 0.0) == first.probability
        assert sum(found.chances.values()) == pytest.approx(1.0)
    assert sum(told.values()) == pytest.approx(1.0) and told["a"] > told["b"] > told["c"] > 0
    for name, chance in told.items():
        assert abs(drawn[name] / n - chance) < 4.5 * np.sqrt(chance * (1 - chance) / n)
