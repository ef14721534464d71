"""Twenty dealers: whatever the owner's side asks, it learns nothing of a single contact that their terms protect."""

import asyncio
import json
from functools import partial

import httpx
import pyarrow.parquet as pq
import pytest

from features.store import Store
from features.times import DAY, iso
from nba.cli import main
from nba.lead_offers import offers_of
from nba.past import Past
from nba.settings import load_settings
from nba.visibility import OWNER_SIDE, sight_in
from serving.app import create_app
from training.world_dealers import by_territory, dealer_world, live
from training.world_dealers_rows import cookie_of, secrets_of, tables
from training.world_rules import BEGIN

DAYS = 60
NOW = BEGIN + (DAYS + 10) * DAY + 10 * 3_600_000_000
SETTINGS = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
value = 900
[points]
kinds = { visit = 5, service_call = 250 }
thresholds = [{ below = 250, actions = ["mail"] }, { from = 250, actions = ["dealer_call", "own_call"] }]
[segments.callers]
points_from = 250
[actions.mail]
channel = "email"
[actions.own_call]
channel = "phone"
executor = "sales"
cost = 2
[actions.dealer_call]
channel = "phone"
executor = "partner"
cost = 1
[contact_policy]
timezone = "UTC"
[ranking]
epsilon = 0.3
[plan]
budget = 5000.0
"""


class Dealt:
    """The world loaded into a folder, and who is protected in it."""

    def __init__(self, folder, more: str = ""):
        self.folder = folder
        self.world = dealer_world(seed=5, days=DAYS, leads_a_day=1.5)
        self.season = live(self.world, by_territory(self.world))
        for lead in self.world.leads[::9]:
            self.season.offers.pop(lead.contact, None)  # nobody was offered these
        (folder / "nba.toml").write_text(SETTINGS + more)
        for table, rows in tables(self.world, self.season):
            (folder / f"{table}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
            assert main(["--config", str(folder / "nba.toml"), "load", table, str(folder / f"{table}.jsonl")]) == 0
        self.settings = load_settings(folder / "nba.toml", {})
        with Store.open(self.settings.store.url) as store:
            self.pasts = {
                lead.contact: Past.read(store, lead.contact, NOW, self.settings.touchpoints)
                for lead in self.world.leads
            }
            sights = {
                name: sight_in(OWNER_SIDE, past, self.settings.partners, NOW) for name, past in self.pasts.items()
            }
        self.protected = sorted(name for name, sight in sights.items() if sight.is_nothing)
        self.whole = sorted(name for name, sight in sights.items() if sight.is_whole)
        self.listed = sorted(name for name, sight in sights.items() if not sight.is_whole and not sight.is_nothing)
        self.own = sorted(name for name, past in self.pasts.items() if not past.traits.get("partner"))

    def run(self, capsys, *words: str) -> str:
        """What a command writes, both streams."""
        capsys.readouterr()
        status = main(["--config", str(self.folder / "nba.toml"), *words])
        written = capsys.readouterr()
        assert status in (0, 1), written.err
        return str(written.out) + str(written.err)

    def found_in(self, text: str, but: str = "") -> list[str]:
        """Protected contacts of which a text tells anything, but what the asker said itself."""
        return [name for name in self.protected if any(word in text for word in words_of(name) if word != but)]

    def asked(self, *requests):
        """Answers of the service, as bytes, to (method, path, body)."""
        clock = iter(range(NOW, NOW + 10_000_000, 1000))
        app = create_app(self.settings, clock=partial(next, clock))

        async def inside():
            transport = httpx.ASGITransport(app=app)
            async with app.router.lifespan_context(app):
                async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                    return [(await client.request(how, path, json=body)).text for how, path, body in requests]

        return asyncio.run(inside())


def words_of(name: str) -> list[str]:
    return [name, cookie_of(name), *(str(word) for word in secrets_of(name).values())]


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
    written = dealt.run(capsys, "plan", "--date", day, "--out", str(file))
    assert file.exists(), written
    assert dealt.found_in(written + file.read_text()) == []
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
            ("recommend", asked, "--as-of", iso(NOW), "--partner", "nobody"),
            ("features", "explain", asked, "--as-of", iso(NOW)),
            ("identities", "show", asked, "--as-of", iso(NOW)),
        ):
            text = dealt.run(capsys, *words)
            assert dealt.found_in(text, but=asked) == [] and "service_call" not in text, words
    for listing in ("duplicates", "actions check", f"partners route --as-of {iso(NOW)}"):
        assert dealt.found_in(dealt.run(capsys, *listing.split())) == [], listing
    whole = dealt.run(capsys, "recommend", cookie_of(name), "--as-of", iso(NOW), "--partner", partner)
    assert name in whole and cookie_of(name) in whole


def test_what_would_change_is_told_without_protected_contacts(dealt, capsys):
    file, since = dealt.folder / "changed.jsonl", iso(NOW - 14 * DAY)
    words = ("whatif", "--set", "ranking.policy=points", "--as-of", iso(NOW), "--since", since, "--out", str(file))
    text = dealt.run(capsys, *words)
    assert file.exists(), text
    assert dealt.found_in(text + file.read_text()) == []
