"""Twenty dealers loaded into a folder, and what tells of each of their contacts."""

import asyncio
import json
from functools import partial

import httpx

from features.store.store import Store
from features.times import DAY, iso
from nba.cli import main
from nba.partners.visibility import OWNER_SIDE, sight_in
from nba.past import Past
from nba.settings import load_settings
from serving.app import create_app
from training.world.dealers import TOPICS, by_territory, dealer_world, live
from training.world.dealers_rows import cookie_of, secrets_of, tables
from training.world.rules import BEGIN

DAYS = 60
NOW = BEGIN + (DAYS + 10) * DAY + 10 * 3_600_000_000
SETTINGS = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
value = 900
[points]
kinds = { visit = 5, service_call = 250 }
fit = { trait = "region", points = { north = 31.5, south = 32.5 } }
thresholds = [{ below = 250, actions = ["mail"] }, { from = 250, actions = ["dealer_call", "own_call"] }]
[segments.callers]
points_from = 250
[segments.of_the_north]
traits = { region = ["north"] }
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

    def __init__(self, folder, more: str = "", *, days: int = DAYS, leads_a_day: float = 1.5):
        self.folder = folder
        self.now = NOW + (days - DAYS) * DAY
        self.world = dealer_world(seed=5, days=days, leads_a_day=leads_a_day)
        self.season = live(self.world, by_territory(self.world))
        for lead in self.world.leads[::9]:
            self.season.offers.pop(lead.contact, None)  # nobody was offered these
        (folder / "nba.toml").write_text(SETTINGS + more)
        for table, rows in (*planted(tables(self.world, self.season)), ("content", CONTENT)):
            (folder / f"{table}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
            assert main(["--config", str(folder / "nba.toml"), "load", table, str(folder / f"{table}.jsonl")]) == 0
        self.settings = load_settings(folder / "nba.toml", {})
        with Store.open(self.settings.store.url) as store:
            self.pasts = {
                lead.contact: Past.read(store, lead.contact, self.now, self.settings.touchpoints)
                for lead in self.world.leads
            }
            sights = {
                name: sight_in(OWNER_SIDE, past, self.settings.partners, self.now) for name, past in self.pasts.items()
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
        assert status in (0, 1, 2), written.err
        return str(written.out) + str(written.err)

    def found_in(self, text: str, but: str = "") -> list[str]:
        """Protected contacts of which a text tells anything, but what the asker said itself."""
        protected = [name for name in self.protected if any(word in text for word in words_of(name) if word != but)]
        # Of those that are seen in part it may be told who they are, and neither of the others nor what they like.
        return protected + [
            name for name in self.listed if any(word in text for word in words_of(name)[1:] if word != but)
        ]

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
    """What tells of a contact: its id first."""
    return [name, cookie_of(name), hobby_of(name), motto_of(name), *(str(word) for word in secrets_of(name).values())]


def hobby_of(name: str) -> str:
    """A topic that nobody else is interested in."""
    return f"hobby{int(name.rpartition(':')[2]) * 8191 % 999_983:06}h"


def motto_of(name: str) -> str:
    """A trait that nobody else has."""
    return f"motto{int(name.rpartition(':')[2]) * 6661 % 999_979:06}m"


def planted(found):
    """The tables with a topic and a trait of its own for every lead."""
    for table, rows in found:
        if table == "touchpoints":
            visits = [row for row in rows if str(row["touchpoint_id"]).endswith(":v0")]
            rows = rows + [
                {**row, "touchpoint_id": f"{row['identity']}:hobby", "topics": json.dumps([hobby_of(row["identity"])])}
                for row in visits
            ]
        if table == "contacts":
            rows = [{**row, "motto": motto_of(row["identity"])} if "region" in row else row for row in rows]
        yield table, rows


LIKED = [topic for topic in TOPICS if topic != "service"]
"""Topics that are no part of another word here."""

CONTENT = [
    {"content_id": f"c:{topic}", "title": f"About {topic}", "topics": [topic], "known_at": iso(BEGIN)}
    for topic in TOPICS
]
