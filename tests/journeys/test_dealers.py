"""Twenty dealers: whatever the owner's side asks, it learns nothing of a single contact that their terms protect."""

import json

import pyarrow.parquet as pq
import pytest

from features.times import DAY, iso
from nba.partners.lead_offers import offers_of
from tests.journeys.dealt import LIKED, NOW, Dealt, hobby_of, words_of
from training.world.dealers_rows import cookie_of


@pytest.fixture(scope="module")
def dealt(tmp_path_factory):
    return Dealt(tmp_path_factory.mktemp("dealt"))


@pytest.fixture(scope="module")
def open_book(tmp_path_factory):
    """The same world whose settings show everything, for those dealers whose terms do not say otherwise."""
    return Dealt(tmp_path_factory.mktemp("open"), '[partners]\nvisible_to_owner = "contact"\n')


def test_the_world_has_contacts_of_all_sorts(dealt, open_book):
    assert len(dealt.world.partners) == 20
    assert min(len(dealt.protected), len(dealt.whole), len(dealt.own)) >= 5
    assert set(open_book.protected) < set(dealt.protected)


def test_what_is_told_is_what_happened(dealt):
    far = NOW + 365 * DAY
    for name, past in dealt.pasts.items():
        happened = [offer for offer in dealt.season.offers.get(name, ()) if offer.at < NOW]
        read = offers_of(past, ["order"], NOW)
        assert [(o.partner, o.at, o.topic) for o in read] == [(o.partner, o.at, o.topic) for o in happened]
        for found, truth in zip(read, happened, strict=True):
            if (truth.taken_at or far) < NOW:
                assert found.taken == truth.taken
                assert found.won_at == (truth.won_at if (truth.won_at or far) < NOW else None)


def test_no_answer_of_the_service_tells_of_a_protected_contact(dealt):
    for identity_of, asked_about in ((str, dealt.protected), (cookie_of, dealt.protected[:9])):
        names = [identity_of(name) for name in asked_about]
        ask = [{"contact": name, "explain": True, "limit": 9} for name in names]
        *answers, batch = dealt.asked(
            *(("POST", "/v1/recommend", body) for body in ask),
            *(("GET", f"/v1/contacts/{name}", None) for name in names),
            ("POST", "/v1/recommend/batch", {"requests": ask}),
        )
        for name, text in zip([*names, *names], answers, strict=True):
            assert dealt.found_in(text, but=name) == [], text
        for text in answers[len(names) :]:
            assert json.loads(text)["code"] == "no-such-contact"
        for name, answer in zip(names, json.loads(batch)["answers"], strict=True):
            assert dealt.found_in(json.dumps(answer), but=name) == []
        told = {bare(json.loads(text)) for text in answers[: len(names)]}
        # Beside the owner's own next step nothing differs from one protected contact to the next.
        assert len(told) <= 1 + 2 * len(dealt.world.partners)
        for text in map(json.loads, answers[: len(names)]):
            assert (text["mode"], text["stage"], text["points"]["log"], text["propensities"]) == (
                "default",
                None,
                [],
                {},
            )
            assert all(each["executor"] != "partner" for each in text["recommendations"])
            assert {each["rule"] for each in text["removed"]} <= {"partner"}


def bare(answer) -> str:
    kept = {key: value for key, value in answer.items() if key not in ("contact_id", "decision_id", "as_of")}
    kept["recommendations"] = [
        {key: value for key, value in each.items() if key not in ("not_before", "valid_until")}
        for each in kept["recommendations"]
    ]
    return json.dumps(kept, sort_keys=True)


def test_files_and_lists_leave_protected_contacts_out(dealt, open_book, capsys):
    for place, hides in ((dealt, dealt.protected), (open_book, open_book.protected)):
        scores = str(place.folder / "scores.parquet")
        written = place.run(capsys, "score", "--as-of", iso(NOW), "--out", scores)
        table = pq.read_table(scores)
        everything = written + table.to_pandas().to_csv()
        assert place.found_in(everything) == []
        assert set(table.column("contact_id").to_pylist()) == set(place.pasts) - set(hides)
        listed = [row for row in table.to_pylist() if row["contact_id"] in place.listed]
        assert listed and all(row["stage"] and row["points"] is not None for row in listed)
        assert {row[name] for row in listed for name in ("expected_value", "action_1", "priority_1")} == {None}
        if place is open_book:
            # The search finds what is there: contacts that only the other settings protect.
            assert set(dealt.found_in(everything)) == set(dealt.protected) - set(hides)


def test_the_plan_leaves_protected_contacts_out_and_gives_them_to_their_partner(dealt, capsys):
    day, file = iso(NOW)[:10], dealt.folder / "plan.jsonl"
    for name, form in (("plan.csv", ()), ("plan.jsonl", ("--json",))):
        written = dealt.run(capsys, "plan", "--date", day, "--out", str(dealt.folder / name), *form)
        text = (dealt.folder / name).read_text()
        assert len(text.splitlines()) > 5 and dealt.found_in(written + text) == [], written
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert any(row["contact_id"] in dealt.listed for row in rows)
    told = {
        name for row in rows if row["contact_id"] in dealt.listed for name, value in row.items() if value is not None
    }
    assert told == {"rank", "contact_id", "executor", "action", "channel", "not_before"}
    given = set()
    for partner in list(dealt.world.partners)[:6]:
        theirs = {name for name, past in dealt.pasts.items() if past.traits.get("partner") == partner}
        dealt.run(capsys, "plan", "--date", day, "--partner", partner, "--out", str(file))
        rows = [json.loads(line) for line in file.read_text().splitlines()] if theirs else []
        assert {row["contact_id"] for row in rows} <= theirs
        given |= {row["contact_id"] for row in rows}
    assert given & set(dealt.protected)


def test_commands_about_one_contact_tell_nothing(dealt, capsys):
    name = dealt.protected[0]
    partner = dealt.pasts[name].traits["partner"]
    for asked in (name, cookie_of(name)):
        for words in (
            ("recommend", asked, "--as-of", iso(NOW), "--explain"),
            ("recommend", asked, "--as-of", iso(NOW), "--explain", "--json"),
            ("recommend", asked, "--as-of", iso(NOW), "--explain", "--json", "--placement", "infocenter"),
            ("recommend", asked, "--as-of", iso(NOW), "--partner", "nobody"),
            ("features", "explain", asked, "--as-of", iso(NOW)),
            ("identities", "show", asked, "--as-of", iso(NOW)),
        ):
            text = dealt.run(capsys, *words)
            assert dealt.found_in(text, but=asked) == [] and "service_call" not in text, words
    at = f"--as-of {iso(NOW)}"
    for listing in ("duplicates", f"actions check {at} --json", f"partners route {at}", f"partners route {at} --json"):
        assert dealt.found_in(dealt.run(capsys, *listing.split())) == [], listing
    whole = dealt.run(capsys, "recommend", cookie_of(name), "--as-of", iso(NOW), "--partner", partner)
    assert name in whole and cookie_of(name) in whole


def test_terms_that_share_a_part_share_no_other(dealt, capsys):
    for name in dealt.listed[:3]:
        for more in ((), ("--explain",), ("--explain", "--json"), ("--placement", "infocenter", "--explain", "--json")):
            text = dealt.run(capsys, "recommend", cookie_of(name), "--as-of", iso(NOW), *more)
            # Stage and points, of which the fit would tell the region, and stages by topic what it likes.
            words = [word for word in words_of(name)[1:] if word != cookie_of(name)]
            assert name in text and not any(word in text for word in (*words, *LIKED, "31.5", "32.5", "north")), text
            assert '"total"' in text or "points: " in text
    own = next(name for name in dealt.own if dealt.pasts[name].traits.get("region") == "north")
    text = dealt.run(capsys, "recommend", own, "--as-of", iso(NOW), "--json")
    assert all(word in text for word in ("31.5", "of_the_north", hobby_of(own)))


@pytest.mark.slow
def test_a_model_tells_no_more_of_protected_contacts(tmp_path, capsys):
    place = Dealt(tmp_path, days=240, leads_a_day=3.0)
    at, file = iso(place.now), tmp_path / "changed.csv"
    place.run(capsys, "train", "run", "--as-of", at)
    place.run(capsys, "train", "promote", "1", "--reason", "what it tells is looked at")
    texts = {
        words: place.run(capsys, *words.split())
        for words in (
            f"forecast --horizon 30d --by topic,owner,partner --as-of {at}",
            f"forecast --horizon 30d --by topic,owner,partner --as-of {at} --json",
            "evaluate policies --json",
            "train report",
            f"score --as-of {at} --out {tmp_path / 'scores.parquet'}",
            f"plan --date {at[:10]} --out {tmp_path / 'plan.csv'} --json",
            f"whatif --set ranking.policy=points --as-of {at} --since {iso(place.now - 10 * DAY)} --out {file}",
            f"actions check --as-of {at}",
        )
    }
    texts |= {name: (tmp_path / name).read_text() for name in ("changed.csv", "plan.csv")}
    assert {words: place.found_in(text) for words, text in texts.items() if place.found_in(text)} == {}
    foreseen = json.loads(
        next(text for words, text in texts.items() if words.startswith("forecast") and "--json" in words)
    )
    assert foreseen["model_version"] == "1" and foreseen["goals"]["conversion"]["by"]["partner"]
    for name in (*place.protected[:3], *place.listed[:3]):
        for more in (["--explain"], ["--explain", "--json"]):
            text = place.run(capsys, "recommend", cookie_of(name), "--as-of", at, *more)
            assert place.found_in(text, but=cookie_of(name)) == [], text
            assert not any(topic in text for topic in LIKED), text


def test_what_would_change_is_told_without_protected_contacts(dealt, capsys):
    file, since = dealt.folder / "changed.jsonl", iso(NOW - 14 * DAY)
    words = ("whatif", "--set", "ranking.policy=points", "--as-of", iso(NOW), "--since", since, "--out", str(file))
    text = dealt.run(capsys, *words)
    assert file.exists(), text
    assert dealt.found_in(text + file.read_text()) == []
