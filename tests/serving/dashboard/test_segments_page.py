"""Segments and classes: every figure is the store's, every list the export's, and what partners keep is in neither."""

import csv
import io
import json
import re
from zoneinfo import ZoneInfo

import pytest

from features.rows.row_types import TouchpointRow
from features.store import erasing
from features.store.figures import latest_figure
from features.store.store import Store
from features.times import DAY
from nba.safe_csv import text_of
from serving.dashboard.numbers import Numbers
from tests.serving.conftest import NOW
from tests.serving.dashboard.segmented import EVIL, FORMULA, SEGMENTS, N, filled, named, partner_of, score
from tests.serving.dashboard.test_signing_in import KEY, with_key

PATHS = ("/segments", "/segments/file?segment=warm", "/classes", "/classes/file")
N_EN, N_DE = (Numbers(language, ZoneInfo("UTC"), NOW) for language in ("en", "de"))


async def read(client, path, language="en"):
    client.headers["authorization"] = f"Bearer {KEY}"
    return await client.get(path, headers={"accept-language": language})


def cells_of(page: str, begin: str) -> list[list[list[str]]]:
    """The words of the cells of each row of the table that comes after some words."""
    table = page[page.index(begin) :]
    table = table[table.index("<tbody>") : table.index("</table>")]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.S)
    return [
        [re.sub(r"<[^>]*>", " ", cell).split() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
        for row in rows
    ]


def plain(text: str) -> str:
    return " ".join(text.split())


def flat(row) -> list[str]:
    return [" ".join(cell) for cell in row]


@pytest.fixture(scope="module")
def visited(tmp_path_factory):
    """Pages and downloads of a service with two scorings a week apart, and what its store has."""
    from tests.serving.conftest import SETTINGS, Local

    local = with_key(Local(tmp_path_factory.mktemp("segments"), SETTINGS + SEGMENTS), scopes=("read",))
    filled(local)
    with pytest.MonkeyPatch.context() as patch:
        score(local, patch, NOW - 7 * DAY)
        score(local, patch)

    async def journey(client):
        answers = {path: await read(client, path) for path in PATHS}
        answers |= {path + " de": await read(client, path, "de") for path in ("/segments", "/classes")}
        for name in local.settings.segments:
            asked = {"segment": name}
            answers[name] = await client.get("/segments/file", params=asked)
        answers["none"] = await client.get("/segments/file?segment=cold")
        answers["export"] = await client.get("/v1/exports/recommendations.csv")
        store = local.service.store
        figures = {name: latest_figure(store, name, NOW + 1) for name in ("segments", "classes", "missed")}
        return answers, figures, {row.contact_id: row for row in store.score_rows()}

    return local.run(journey)


def rows_in(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_every_size_chance_and_overlap_is_the_stores(visited) -> None:
    answers, figures, _ = visited
    body = figures["segments"].body
    assert figures["segments"].at == NOW
    for page, n, heads in (
        (answers["/segments"].text, N_EN, ("How large each is</h2>", "Who is in two at once</h2>")),
        (answers["/segments de"].text, N_DE, ("Wie groß jedes ist</h2>", "Wer in zweien zugleich ist</h2>")),
    ):
        rows = [flat(row) for row in cells_of(page, heads[0])]
        sizes = [body["together"][i][i] for i in range(len(body["names"]))]
        assert [row[1] for row in rows[:-1]] == [n.number(size) for size in sizes]
        assert [row[2] for row in rows[:-1]] == [plain(n.percent(size / body["contacts"])) for size in sizes]
        for at, goal in enumerate(("conversion", "churn"), 5):
            each = body["chances"][goal]
            shown = [plain(n.percent(mean, 1)) for mean in (*each["each"], each["everybody"])]
            assert [row[at] for row in rows] == shown
        pairs = [row[1] for row in map(flat, cells_of(page, heads[1]))]
        both = [size for i, row in enumerate(body["together"]) for size in row[i + 1 :] if size]
        assert pairs == [n.number(size) for size in sorted(both, reverse=True)]
        assert n.number(body["contacts"]) + (" contacts" if n is N_EN else " Kontakte") in page


def test_the_trend_has_the_sizes_of_each_scoring(visited) -> None:
    answers, figures, _ = visited
    page = answers["/segments"].text
    newest, older = (flat(row) for row in cells_of(page, "<figcaption>Contacts by segment"))
    names = re.findall(r"<th scope=\"col\"[^>]*>(.*?)</th>", page[page.index("<figcaption>") :])[1:5]
    body = figures["segments"].body
    by_name = {name.replace("_", " "): body["together"][i][i] for i, name in enumerate(body["names"])}
    shown = [name.replace("&lt;", "<").replace("&gt;", ">").replace("&#34;", '"') for name in names]
    assert newest[1:] == [str(by_name[name]) for name in shown]
    assert newest[0] != older[0] and newest[1:] != older[1:]
    changes = dict(zip(shown, (int(a) - int(b) for a, b in zip(newest[1:], older[1:], strict=True)), strict=True))
    for row in map(flat, cells_of(page, "How large each is</h2>")):
        if row[0] in changes:
            assert int(row[3].replace("−", "-")) == changes[row[0]]


def test_the_lists_are_the_rows_of_the_export_of_those_in_the_segment(visited) -> None:
    answers, figures, scores = visited
    everybody = {row["contact_id"]: row for row in rows_in_export(answers["export"])}
    body = figures["segments"].body
    partner = {named(i): partner_of(i) for i in range(N)}
    for i, name in enumerate(body["names"]):
        found = rows_in(answers[name])
        assert len(found) == body["together"][i][i]
        assert found == [everybody[row["contact_id"]] for row in found]
        ids = {text_of(row["contact_id"]) for row in found}
        made_of_topics = name == EVIL
        wanted = {
            contact
            for contact, row in scores.items()
            if name in row.body["segments"] and partner[contact] in (None, *(() if made_of_topics else ("partly",)))
        }
        assert ids == wanted
    assert any(partner[text_of(row["contact_id"])] == "partly" for row in rows_in(answers["warm"]))
    assert any(row["contact_id"] == f"'{FORMULA}" for row in rows_in(answers["buyers"]))
    assert answers["warm"].headers["content-disposition"] == 'attachment; filename="segment-warm.csv"'
    assert answers[EVIL].headers["content-disposition"] == 'attachment; filename="segment-script-alert-1-script.csv"'
    assert answers["none"].status_code == 404


def rows_in_export(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_classes_cells_and_names_are_the_stores_without_whom_partners_keep(visited) -> None:
    answers, figures, scores = visited
    body, first = figures["classes"].body, figures["missed"].body["contacts"]
    own = {named(i) for i in range(N) if partner_of(i) is None}
    assert first and set(first) <= own and body["contacts"] == len(own)
    for page, n, heads in (
        (answers["/classes"].text, N_EN, ("against chances</h2>", "The classes</h2>", "look at first</h2>")),
        (answers["/classes de"].text, N_DE, ("gegen Chancen</h2>", "Die Klassen</h2>", "zuerst ansehen sollten</h2>")),
    ):
        cells = [flat(row)[1:-1] for row in cells_of(page, heads[0])]
        shown = [
            [f"{n.number(cell['contacts'])} {n.number(cell['expected'], 1)}" for cell in row]
            for row, band in zip(body["cells"], body["bands"], strict=True)
            if band["contacts"]
        ]
        assert cells[:-1] == shown
        rows = [flat(row) for row in cells_of(page, heads[1])]
        assert [row[1] for row in rows[:-1]] == [n.number(each["contacts"]) for each in body["classes"]]
        assert [row[2] for row in rows[:-1]] == [n.number(each["revenue"]) for each in body["classes"]]
        assert [row[4] for row in rows[:-1]] == [n.number(each["expected"], 1) for each in body["classes"]]
        listed = [flat(row) for row in cells_of(page, heads[2])]
        assert [row[0] for row in listed] == [name_of(each) for each in first]
        assert [row[3] for row in listed] == [plain(n.percent(scores[each].body["p_conversion"], 1)) for each in first]
        assert f'<p class="figure">{n.number(body["missed"]["contacts"])}</p>' in page
    assert f'href="/contacts/{first[0].replace(":", "%3A").replace("=", "%3D").replace("+", "%2B")}"' in page


def name_of(contact: str) -> str:
    return f"Name {next(i for i in range(N) if named(i) == contact)}"


def test_the_download_has_everybody_whom_revenue_misses(visited) -> None:
    answers, figures, scores = visited
    body = figures["classes"].body
    found = [text_of(row["contact_id"]) for row in rows_in(answers["/classes/file"])]
    own = {named(i) for i in range(N) if partner_of(i) is None}
    wanted = {
        name
        for name, row in scores.items()
        if name in own and row.body["abc"] in ("C", "none") and row.body["p_conversion"] >= body["missed"]["from"]
    }
    assert set(found) == wanted and len(found) == body["missed"]["contacts"]
    assert all("abc" not in row.body for name, row in scores.items() if name not in own)


def test_what_stands_in_the_settings_is_text(visited) -> None:
    answers, _, _ = visited
    for page in (answers["/segments"].text, answers["/segments de"].text):
        assert "<script>alert" not in page and "<b>saws" not in page
        assert "&lt;script&gt;alert(" in page and "&lt;b&gt;saws&lt;/b&gt;" in page and "&amp;lt;" not in page
    assert "at least once: order" in answers["/segments"].text
    assert "mindestens einmal: Bestellung" in answers["/segments de"].text


def test_what_was_not_counted_says_which_command_counts_it(local_with, local, monkeypatch) -> None:
    async def journey(client):
        return [(await read(client, path)).text for path in ("/segments", "/classes")]

    segments, classes = with_key(local_with(SEGMENTS)).run(journey)
    assert "<code>nba score --out scores.parquet</code>" in segments and "Not counted yet" in segments
    assert "nba train run\nnba score --out scores.parquet" in classes
    segments, _ = local.run(journey)
    assert "No segments yet" in segments and "[segments]" in segments


def test_what_an_older_scoring_or_no_model_leaves_is_not_shown_as_of_now(local_with, monkeypatch) -> None:
    local = with_key(local_with(SEGMENTS))
    filled(local)
    score(local, monkeypatch, NOW - DAY)
    score(local, monkeypatch, with_model=False)

    async def journey(client):
        return [(await read(client, path)).text for path in ("/segments", "/classes")]

    segments, classes = local.run(journey)
    assert "Will buy" not in segments and "The trend" not in segments
    assert "Not counted yet" in classes and "Whom to look at first" not in classes


@pytest.mark.parametrize("bound", [{"owner": "jane"}, {"partner": "north"}])
def test_who_sees_a_part_of_the_contacts_opens_none_of_them(local_with, bound) -> None:
    async def journey(client):
        return [(await read(client, path)).status_code for path in PATHS]

    assert with_key(local_with(SEGMENTS), **bound).run(journey) == [403] * 4


def missed(store):
    found = latest_figure(store, "missed", NOW)
    assert found is not None
    return found.body["contacts"]


def test_who_is_erased_or_objects_is_in_no_list(local_with, monkeypatch) -> None:
    local = with_key(local_with(SEGMENTS))
    filled(local)
    score(local, monkeypatch)
    with Store.open(local.settings.store.url) as store:
        gone, objects, *others = missed(store)
        with store.writing() as writing:
            erasing.bury(writing, [gone], NOW)
            erasing.erase(writing, (gone,), (), NOW)
            word = json.dumps({"channel": "profiling"})
            writing.touchpoints([TouchpointRow(objects, NOW, "no", "objection", properties=word)])
        assert missed(store) == [objects, *others]
        assert gone not in repr(store._all("SELECT * FROM figures"))

    async def journey(client):
        return (await read(client, "/classes")).text, rows_in(await read(client, "/classes/file"))

    page, rows = local.run(journey)
    listed = [flat(row)[0] for row in cells_of(page, "Whom to look at first</h2>")]
    assert listed == [name_of(each) for each in others]
    assert not {gone, objects} & {text_of(row["contact_id"]) for row in rows}
