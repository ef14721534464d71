"""All pages of a service with what the API, the views, commands and the store say at the same moment."""

import json
import shutil
from collections import Counter

from features.times import DAY, iso
from models.forecast_log import ForecastLog
from nba.interests import SILENT
from serving.dashboard.dashboard import PAGES
from tests.serving.dashboard.figured import DECIDED, MORE, figured, kept_figures, lived, said, views_of
from tests.serving.dashboard.read_figures import Read
from tests.serving.dashboard.segmented import named, partner_of
from tests.serving.dashboard.test_signing_in import KEY
from tests.training.weighing_worlds import belief
from training.counts import count

LANGUAGES = ("en", "de")
PEOPLE = [named(i) for i in range(0, 42, 6) if i % 10 not in (7, 8)]
NAMES = [f"+41 44 768 10 {i}" for i in range(9)] + [f(i) for i in range(60) for f in (named, "Name {}".format)]
NAMES += [f(i) for i in range(5) for f in ("a{}".format, "Firm {}".format)]
THRESHOLDS = [{"from": 250.0}]
PARTNERED = {name: [i for i in range(60) if partner_of(i) == name] for name in ("north", "partly")}
SUMS = ("decisions", "carried_out", "answered", "accepted", "converted", "rejected", "value")

SOBER = MORE.replace("holdout = 0.3", 'holdout = 0.0\nepsilon = 0.0\nsticky = "0s"')
"""Settings under which a recommendation is what a list says, too."""
_DECIDED = (
    "SELECT decision_id, identity, model_version, action, decided_at, probability, features_sha, topics FROM decisions"
)


class World:
    """The pages with what the API, the views and the store say at the same moment."""

    def __init__(self, local_with, sober_with, monkeypatch):
        self.local, self.standing = figured(local_with, monkeypatch)
        self.pages, self.api, self.offers, self.faded, self.stages = {}, {}, {}, {}, {}
        self.local.run(self._walk)
        for language in LANGUAGES:
            folder = self.settings.folder.parent / f"sober-{language}"
            shutil.copytree(self.settings.folder, folder)
            self.sober = sober_with(folder)
            self.sober.tick, self.sober.now = 0, self.now
            self.sober.run(lambda client, language=language: self._ask(client, language))

    async def _walk(self, client):
        client.headers["authorization"] = f"Bearer {KEY}"
        await lived(client, self.local, {})
        self.views, self.counted = views_of(self.local), kept_figures(self.local)
        self.figures = {name: [row.body for row in rows] for name, rows in self.counted.items()}
        self.export = [
            json.loads(line)
            for line in (await self._get(client, "/v1/exports/recommendations.ndjson", "en")).text.splitlines()
        ]
        self.asks = [each.propensity_from or each.points_from for each in self.local.settings.segments.values()]
        self.counts = self.local.service.store.counts()
        self.now, self.settings = self.local.now, self.local.settings
        as_of = ["--as-of", iso(self.now), "--json", "--config", str(self.settings.folder / "nba.toml")]
        self.gates, self.points = said("actions", "check", *as_of), self.local.checked
        found = self._rows("SELECT contact_id, body FROM scores")
        self.classed = {row["contact_id"]: json.loads(row["body"]).get("abc") for row in found}
        self.decided = self._rows(_DECIDED)
        self.outcomes = self._rows("SELECT decision_id, outcome, occurred_at FROM outcomes")
        self.kinds = {*self.settings.points.kinds, "order", *SILENT}
        self.forecasts = ForecastLog.of(self.settings.folder).newest(self.now)
        paths = [page.path for page in PAGES if page.method == "GET" and "{" not in page.path]
        await self._open(client, ["/v1/model"], [*(each for each in paths if each != "/today"), "/actions?since=ever"])
        asked, shown = _of_people(PEOPLE[:3])
        await self._open(client, [*asked, "/v1/worklist?limit=25"], shown)
        self.lists = {(who, each): self.api["/v1/worklist", each]["contacts"] for who in PEOPLE for each in LANGUAGES}
        # From here on a model answers; the bundle before was only there to be told of.
        self.local.service.bundles.current = belief()
        asked, shown = _of_people(PEOPLE[3:])
        accounts = [f"accounts/a{i}" for i in range(5)]
        asked += ["/v1/worklist?limit=25", *(f"/v1/{each}" for each in accounts)]
        shown += ["/today", *(f"/{each}" for each in accounts), "/contacts?q=Name", f"/note?saved={named(3)}"]
        await self._open(client, asked, shown)
        for who, each in ((who, each) for who in PEOPLE[3:] for each in LANGUAGES):
            self.lists[who, each] = self.api["/v1/worklist", each]["contacts"]
        for who in PEOPLE:
            await self._look_back(client, who)
        self.local.now = self.now

    async def _look_back(self, client, who):
        """Ask how interests stood week by week, and the stage by the rules day by day from the first touchpoint on."""
        at = (row["occurred_us"] for row in self.views["v_contact_timeline"] if row["contact_id"] == who)
        first = max(self.now - 180 * DAY, min(at))
        for moment in sorted({first + 1, *range(self.now, first, -DAY)}):
            self.local.now = moment
            past = (await self._get(client, f"/v1/contacts/{who}", "en")).json()
            self.stages.setdefault(who, []).append((moment, past["stage_by_rule"]))
        for week in range(1, 13):
            self.local.now = self.now - 7 * week * DAY
            past = (await self._get(client, f"/v1/contacts/{who}", "en")).json()
            self.faded.setdefault(who, []).append(past["interests"])

    async def _ask(self, client, language):
        """Ask what is best for everybody, where nothing is drawn and no earlier choice is given again."""
        client.headers["authorization"] = f"Bearer {KEY}"
        for i, who in enumerate(PEOPLE):
            self.sober.service.bundles.current = belief() if i >= 3 else None
            body = {"contact": who, "limit": 20, "explain": True}
            answer = await client.post("/v1/recommend", json=body, headers={"accept-language": language})
            self.offers[who, language] = answer.json()

    async def _open(self, client, asked, paths):
        for language in LANGUAGES:
            for path in asked:
                self.api[path.partition("?")[0], language] = (await self._get(client, path, language)).json()
            for path in paths:
                answer = await self._get(client, path, language)
                # Files that there are none of are told of by a page that has no figures.
                if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
                    self.pages[path, language] = answer.text

    def _rows(self, sql):
        """What stands in the store."""
        store = self.local.service.store
        names = sql.partition("SELECT ")[2].partition(" FROM")[0].split(", ")
        return [dict(zip(names, row, strict=True)) for row in store._all(sql)]

    async def _get(self, client, path, language):
        return await client.get(path, headers={"accept-language": language})

    def read(self, path, language="en"):
        return Read(self.pages[path, language])

    def sources(self, path, language):
        """What a page may have its figures from, and those that are made of them."""
        begin, _, rest = path.partition("?")[0].removeprefix("/").partition("/")
        api, body = self.api, {name: rows[-1] for name, rows in self.figures.items()}
        if begin == "today" or path in ("/contacts?q=Name", f"/note?saved={named(3)}"):
            return [api["/v1/worklist", language], NAMES], []
        if begin == "contacts" and rest:
            found = [
                api[f"/v1/contacts/{rest}", language],
                self.offers[rest, language],
                self.faded[rest],
                THRESHOLDS,
                NAMES,
            ]
            item = [each for each in api["/v1/worklist", language]["contacts"] if each["contact_id"] == rest]
            gains = [each["terms"] for each in self.offers[rest, language]["recommendations"] if each["terms"]]
            above = [t["propensity"] - t["without_action"] for t in gains]
            drew = [row["probability"] for row in self.decided if row["identity"] == rest]
            return [*found, item, drew, self.lists[rest, language]], [
                *above,
                *(each["from"] - found[0]["points"]["total"] for each in THRESHOLDS),
            ]
        if begin == "accounts":
            return ([api[f"/v1/accounts/{rest}", language], NAMES] if rest else NAMES), []
        if begin in ("pipeline", "segments", "classes"):
            more = shares(body[{"pipeline": "scored"}.get(begin, begin)]) + shares(body["pipeline_7d"])
            visits = [row["visits"] for row in self.figures["pipeline_7d"][-4:]]
            more += [sum(each["visits"] for each in visits)]
            return [self.figures, NAMES, self.export, self.asks], more
        if begin == "actions":
            found, more = self._actions()
            return [found, api["/v1/model", "en"]], more
        if begin == "forecast":
            return [self.forecasts, ForecastLog.of(self.settings.folder).made()], [30, 1, 2, 0, 345]
        if begin == "rules":
            return [self.figures["thresholds"], self.points, self.settings.source.document], range(10)
        if begin == "model":
            found = [api["/v1/model", "en"], *(self.views[name] for name in ("v_data_quality", "v_model_versions"))]
            ours = sum(row["features_sha"] is not None for row in self.decided)
            return found, [*self._quality().values(), ours, 8 / 50, 4, DECIDED, *range(1, 11)]
        if begin == "partners":
            return [len(PARTNERED["north"]), len(PARTNERED["partly"]), 17, 6, 0], []
        if begin == "first-steps":
            return [
                self.counts,
                len(self.outcomes),
                self.views["v_next_best_action"],
                len(self.local.service.keys.ring.rows),
                54,
                "3",
                *range(1, 10),
            ], []
        return [], [0, 1]

    def _actions(self):
        daily, lift = self.views["v_decisions_daily"], self.views["v_action_lift"]
        uses = sums(daily)
        costs = {name: each.cost for name, each in self.local.settings.actions.items()} | {"do_nothing": 0.0}
        more = [row[name] / row["decisions"] for row in uses.values() for name in ("answered", "accepted", "converted")]
        for action, row in uses.items():
            cost = costs[action] * row["carried_out"]
            more += [*row.values(), cost, (row["value"] or 0) - cost, row["accepted"] + row["converted"]]
        gates = count(
            self.local.service.store, self.local.settings, self.local.service.bundles.current, self.local.now
        )["gates"]
        more += [
            each["eligible"] / gates["contacts"]
            for one in gates["actions"].values()
            for each in one["placements"].values()
        ]
        return [daily, lift, gates], more

    def _quality(self):
        since = iso(self.local.now - 90 * DAY)[:10]
        found: Counter[str] = Counter()
        for row in self.views["v_data_quality"]:
            found[row["finding"]] += row["row_count"] if row["day"] >= since else 0
        return found


def _of_people(people):
    """Return what to ask about some contacts, and their pages."""
    return [f"/v1/contacts/{each}?limit=50" for each in people], [f"/contacts/{each}" for each in people]


def sums(daily):
    """Sum the days of each action."""
    found: dict[str, dict[str, float]] = {}
    for row in daily:
        each = found.setdefault(row["action"], dict.fromkeys(SUMS, 0))
        for name in SUMS:
            each[name] += row[name] or 0
    return found


def shares(body):
    """Return what parts of a counted body are of each other, and their sums."""
    found = []
    if "together" in body:
        whole = [body["together"][i][i] for i in range(len(body["names"]))]
        found += [n / body["contacts"] for n in whole]
        found += [n / whole[i] for i, row in enumerate(body["together"]) for n in row if whole[i]]
        found += [0]
    if "missed" in body:
        found += [body["missed"]["expected"] / body["expected"], body["expected"] / body["contacts"]]
        found += [each["expected"] / each["contacts"] for each in body["classes"] if each["contacts"]]
        found += [round(body["horizon_us"] / DAY), len(body["missed"])]
    if "stages" in body:
        found += [n / body["contacts"] for n in body["stages"].values()]
        moves = body["moves"]
        for side in ("from", "to"):
            found += Counter({each[side]: 0 for each in moves} | totals(moves, side)).values()
        found += [sum(m["contacts"] for m in moves if m["from"] and m["to"] and m["from"] != m["to"]), 0]
        found += [sum(m["contacts"] for m in moves if not m["from"]), sum(m["contacts"] for m in moves if not m["to"])]
    for stage, told in body.get("leaving", {}).items():
        found += [told["silent"] / body["stages"][stage]] if body["stages"][stage] else []
        length = body["lengths"].get(stage, {})
        found += (
            [length["stuck"] / length["contacts"]] if length.get("stuck") is not None and length["contacts"] else []
        )
    for told in body.get("lost", {}).values():
        found += [told["lost"] / told["customers"]] if told["customers"] else []
    if body.get("matrix"):
        cells = body["matrix"]["cells"]
        for side in ("risk", "worth"):
            for each in {cell[side] for cell in cells}:
                found += [sum(cell[name] for cell in cells if cell[side] == each) for name in ("contacts", "revenue")]
        found += [sum(cell["contacts"] for cell in cells)]
    return found


def totals(moves, side):
    """Sum moves by where they begin or end."""
    found: Counter[str] = Counter()
    for each in moves:
        found[each[side]] += each["contacts"]
    return found
