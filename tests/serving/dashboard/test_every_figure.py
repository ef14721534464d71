"""Every figure of every page is one that programs and the views of BI tools are told for the same moment."""

import json
from collections import Counter

import pytest

from features.times import DAY, iso
from serving.dashboard.dashboard import PAGES
from tests.serving.dashboard.figured import DECIDED, figured, kept_figures, lived, views_of
from tests.serving.dashboard.read_figures import Read, unexplained
from tests.serving.dashboard.segmented import named, partner_of
from tests.serving.dashboard.test_signing_in import KEY
from training.counts import count

pytestmark = pytest.mark.slow
LANGUAGES = ("en", "de")
PEOPLE = [named(i) for i in range(0, 42, 6) if i % 10 not in (7, 8)]
NAMES = [f"+41 44 768 10 {i}" for i in range(9)] + [f(i) for i in range(60) for f in (named, "Name {}".format)]
NAMES += [f(i) for i in range(5) for f in ("a{}".format, "Firm {}".format)]
THRESHOLDS = [{"from": 250.0}]
PARTNERED = {name: [i for i in range(60) if partner_of(i) == name] for name in ("north", "partly")}
SUMS = ("decisions", "carried_out", "answered", "accepted", "converted", "rejected", "value")


class World:
    """The pages with what the API, the views and the store say at the same moment."""

    def __init__(self, local_with, monkeypatch):
        self.local, self.standing = figured(local_with, monkeypatch)
        self.pages, self.api, self.offers, self.faded = {}, {}, {}, {}
        self.local.run(self._walk)

    async def _walk(self, client):
        client.headers["authorization"] = f"Bearer {KEY}"
        await lived(client, self.local, {})
        self.views, self.figures = views_of(self.local), kept_figures(self.local)
        self.export = [
            json.loads(line)
            for line in (await self._get(client, "/v1/exports/recommendations.ndjson", "en")).text.splitlines()
        ]
        self.asks = [each.propensity_from or each.points_from for each in self.local.settings.segments.values()]
        self.counts = self.local.service.store.counts()
        asked = ["/v1/worklist?limit=25", "/v1/model", *(f"/v1/contacts/{each}?limit=50" for each in PEOPLE)]
        asked += [f"/v1/accounts/a{i}" for i in range(5)]
        for language in LANGUAGES:
            for path in asked:
                self.api[path.partition("?")[0], language] = (await self._get(client, path, language)).json()
        paths = [page.path for page in PAGES if page.method == "GET" and "{" not in page.path]
        paths += [f"/contacts/{each}" for each in PEOPLE] + [f"/accounts/a{i}" for i in range(5)]
        for path in (*paths, "/actions?since=ever", "/contacts?q=Name", f"/note?saved={named(3)}"):
            for language in LANGUAGES:
                answer = await self._get(client, path, language)
                # Files that there are none of are told of by a page that has no figures.
                if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
                    self.pages[path, language] = answer.text
        now = self.local.now
        for who in PEOPLE:
            body = {"contact": who, "limit": 20, "explain": True}
            for language in LANGUAGES:
                self.local.now += 1_000_000
                answer = await client.post("/v1/recommend", json=body, headers={"accept-language": language})
                self.offers[who, language] = answer.json()
            self.local.now = now
            for week in range(1, 13):
                self.local.now = now - 7 * week * DAY
                past = (await self._get(client, f"/v1/contacts/{who}", "en")).json()
                self.faded.setdefault(who, []).append(past["interests"])
            self.local.now = now

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
            return [*found, item], [*above, *(each["from"] - found[0]["points"]["total"] for each in THRESHOLDS)]
        if begin == "accounts":
            return ([api[f"/v1/accounts/{rest}", language], NAMES] if rest else NAMES), []
        if begin in ("pipeline", "segments", "classes"):
            more = shares(body[{"pipeline": "scored"}.get(begin, begin)]) + shares(body["pipeline_7d"])
            visits = [row["visits"] for row in self.figures["pipeline_7d"][-4:]]
            more += [sum(each["visits"] for each in visits)]
            return [self.figures, NAMES, self.export, self.asks], more
        if begin == "actions":
            return self._actions()
        if begin == "model":
            found = [api["/v1/model", "en"], *(self.views[name] for name in ("v_data_quality", "v_model_versions"))]
            return found, [*self._quality().values(), 8 / 50, 4, DECIDED, *range(1, 11)]
        if begin == "partners":
            return [len(PARTNERED["north"]), len(PARTNERED["partly"]), 17, 6, 0], []
        if begin == "first-steps":
            return [
                self.counts,
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


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    from tests.serving.conftest import SETTINGS, Local

    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("figures")
        return World(lambda more: Local(folder, SETTINGS + more), monkeypatch)


def test_no_page_shows_a_figure_that_nothing_else_tells(world):
    assert len(world.pages) > 50
    left = {}
    for (path, language), page in world.pages.items():
        name = next((each.name for each in PAGES if each.path == path.partition("?")[0]), None)
        found, more = world.sources(path, language)
        left[path, language] = unexplained(
            page, name or {"c": "contact", "a": "account"}[path[1]], found, more, language
        )
    assert {where: figures for where, figures in left.items() if figures} == {}


def test_points_add_up_to_their_total(world):
    for who in PEOPLE:
        points = world.api[f"/v1/contacts/{who}", "en"]["points"]
        rows = next(
            (rows for caption, rows in world.read(f"/contacts/{who}").tables.items() if rows[0][-1:] == ["Points"]),
            None,
        )
        shown = [] if rows is None else [float(row[-1].replace(",", "")) for row in rows[1:]]
        assert sum(shown[:-1]) == sum(each["points"] for each in points["log"]) == points["total"]
        assert shown[-1:] in ([], [points["total"]])


def test_the_list_of_today_is_the_apis_and_the_views(world):
    best = {row["contact_id"]: row for row in world.views["v_next_best_action"]}
    chances = {(row["contact_id"], row["goal"]): row for row in world.views["v_propensities"]}
    told = world.api["/v1/worklist", "en"]["contacts"]
    assert told and [f"/contacts/{each['contact_id']}" for each in told] != []
    for each in told:
        row, chance = best[each["contact_id"]], each["propensity"]
        assert (row["action_1"], row["stage"]) == (each["action"], each["stage"])
        if chance is not None:
            assert chance["probability"] == pytest.approx(chances[each["contact_id"], chance["goal"]]["probability"])


def test_uses_of_actions_are_those_of_the_view(world):
    uses = sums(world.views["v_decisions_daily"])
    rows = next(rows for rows in world.read("/actions?since=ever").tables.values() if "Decisions" in rows[0])
    shown = sorted(int(row[1].replace(",", "")) for row in rows[1:])
    assert shown == sorted(each["decisions"] for each in uses.values())
