"""Whatever somebody calls anything, pages show it as text: no element, attribute or address more than of plain words.

A service full of hostile texts is walked side by side with one that has plain words as long in their places.
"""

import csv
import io
import json
import re
from collections import Counter
from urllib.parse import quote

import pytest

from nba.privacy.tokens import token_for
from nba.safe_csv import text_of
from serving.dashboard.dashboard import PAGES
from tests.serving.dashboard.page_text import seal_in
from tests.serving.dashboard.skeleton import Skeleton
from tests.serving.dashboard.written import AT_ONCE, KEY, NORTH, Written
from tests.serving.dashboard.xss import ADDRESSES, STRINGS, harmless

UNLIKE = re.compile(r"/crm:|(?<=['=])(http|mailto|tel):")


class Walked:
    """What a walk through a service brought: each page with its status, by what was asked for."""

    def __init__(self, written, every):
        self.written, self.pages, self.files, self.every = written, {}, {}, every
        written.run(self._walk)

    async def _walk(self, client):
        self.client = client
        await self.written.live(client)
        await self._sign_in(KEY)
        await self._lists()
        await self._people()
        await self._forms()
        await self._errors()
        for page in PAGES:
            if page.method == "GET" and "{" not in page.path:
                for language in ("en", "de"):
                    await self._get(f"{page.path} {language}", page.path, language)
        await self._get("/me", f"/me/{token_for(self.written.service.secret, 'crm:1', 2**60)}")
        for suffix in ("csv", "ndjson"):
            path = f"/v1/exports/recommendations.{suffix}"
            self.files[suffix] = (await client.get(path, headers={"Authorization": f"Bearer {KEY}"})).text
        await self._sign_in(NORTH)
        for path in ("/today", "/partners", "/accounts", "/contacts/crm%3A3"):
            await self._get(f"{path} north", path)

    async def _sign_in(self, key):
        assert (await self.client.post("/sign-in", data={"key": key})).status_code == 303
        self.seal = seal_in((await self.client.get("/sign-in")).text)

    async def _lists(self):
        """Follow Today and the accounts to their ends, and filter and search by texts."""
        for path in ("/today", "/accounts"):
            here: str | None = path
            n = 0
            while here is not None:
                page = await self._get(f"{path} {n}", here)
                found = re.search(r'href="([^"]*)" rel="next"', page)
                here, n = found and found[1].replace("&amp;", "&"), n + 1
            assert n > 1
        for i, text in enumerate(self.written.said):
            if i % self.every == 0:
                await self._get(f"/today of {i}", f"/today?owner={quote(text, safe='')}&partner={quote(text, safe='')}")
            if i % (self.every // 2) == 1 and "@" not in text:
                for path in ("/contacts", "/accounts", "/note", "/note/people"):
                    await self._get(f"{path} as {i}", f"{path}?q={quote(text, safe='')}")

    async def _people(self):
        for i in self.written.busy:
            await self._get(f"contact {i}", f"/contacts/crm%3A{i}", "de" if i % 2 else "en")
        for i in range(0, len(self.written.said), self.every // 4):
            await self._get(f"account {i}", f"/accounts/acc{i % 24:03}")
            identity = quote(f"web:{i:03}{self.written.said[i]}", safe="")
            await self._get(f"identity {i}", f"/contacts/{identity}")
            await self._get(f"note {i}", f"/note?contact=crm%3A{i}&said={quote(self.written.said[i], safe='')}")

    async def _forms(self):
        for i, text in enumerate(self.written.said):
            if i % (self.every // 3) == 0:
                wrong = {
                    "seal": self.seal,
                    **dict.fromkeys(
                        (
                            "name",
                            "email",
                            "phone",
                            "account",
                            "topic",
                            "words",
                            "kind",
                            "stage",
                            "next",
                            "until",
                            "value",
                            "at",
                            "note_id",
                        ),
                        text,
                    ),
                }
                self._keep(f"wrong note {i}", await self.client.post("/note", data=wrong))
                told = {
                    "seal": self.seal,
                    "contact": f"crm:{i}",
                    "action": "sales_call",
                    "outcome": "done",
                    "name": text,
                    "note": text,
                }
                self._keep(f"part {i}", await self.client.post("/today", data=told, headers={"hx-request": "true"}))
                said = {
                    "seal": self.seal,
                    "contact": f"crm:{i // AT_ONCE}",
                    "action": text,
                    "outcome": text,
                    "reason": text,
                }
                self._keep(f"untold {i}", await self.client.post("/today", data=said))
        file = {"file": ("people.csv", self.written.list_of_people(), "text/csv")}
        self._keep(
            "list", await self.client.post("/note/list", data={"seal": self.seal, "kind": "fair_visit"}, files=file)
        )

    async def _errors(self):
        for i, text in enumerate(self.written.said):
            if i % self.every == 0:
                for path in (
                    "/contacts/",
                    "/accounts/",
                    "/sign-in?next=",
                    "/partners?said=",
                    "/note?saved=",
                    "/contacts/crm%3A1?said=",
                    "/today?said=",
                ):
                    await self._get(f"{path} {i}", path + quote(f"gone {text}", safe=""))

    async def _get(self, name, path, language="en"):
        headers = {"accept-language": language}
        return self._keep(name, await self.client.get(path, headers=headers, follow_redirects=True))

    def _keep(self, name, answer):
        if answer.headers["content-type"].startswith("text/html"):
            self.pages[name] = (answer.status_code, Skeleton(answer.text))
        else:
            # No browser takes these for a page, whatever is in them.
            assert answer.headers["x-content-type-options"] == "nosniff"
        return answer.text


@pytest.fixture(scope="module", params=[6, pytest.param(1, marks=pytest.mark.slow)])
def walks(request, tmp_path_factory):
    """Two walks over the same pages; quick ones with every sixth text."""
    texts, every = STRINGS[:: request.param], 24 if request.param > 1 else 12
    return [
        Walked(Written(tmp_path_factory.mktemp("w"), [plain(text) for text in texts]), every)
        for plain in (str, harmless)
    ]


def test_the_plain_words_differ_from_each_other_and_from_the_hostile_ones():
    assert len(STRINGS) >= 100 and len({harmless(text) for text in STRINGS}) == len(set(STRINGS)) == len(STRINGS)
    assert not re.search("[<>\"'&{}()]", "".join(map(harmless, STRINGS)))


def test_no_text_makes_an_element_an_attribute_or_an_address(walks):
    hostile, plain = walks
    assert hostile.pages.keys() == plain.pages.keys() and len(plain.pages) > 60
    for name, (status, found) in hostile.pages.items():
        usually, usual = plain.pages[name]
        assert status == usually < 500, (name, status, usually)
        assert found.dangers == usual.dangers == [], name
        more, less = found.elements - usual.elements, usual.elements - found.elements
        assert more == less == Counter(), (name, more, less)


def test_every_text_is_read_on_the_pages_as_it_was_written(walks):
    hostile, plain = walks
    for name, (_, found) in hostile.pages.items():
        if name in ("list", "/model en", "/model de"):
            continue  # Of these only so many rows are shown, in the order of their texts.
        seen, usual = (Counter(map(harmless, each.texts.elements())) for each in (found, plain.pages[name][1]))
        assert seen == usual, (name, seen - usual, usual - seen)


def test_names_topics_kinds_and_words_are_all_there(walks):
    hostile, _ = walks
    begun: dict[str, set[str]] = {
        begin: set() for begin in ("/today", "contact", "account", "/accounts", "/partners en", "list", "wrong note")
    }
    for name, (_, found) in hostile.pages.items():
        for begin, texts in begun.items():
            if name.startswith(begin):
                texts.update(found.texts)
    said = [" ".join(text.split()) for text in hostile.written.said]
    ours = [text for i, text in enumerate(said) if i % 7 != 3]
    for begin, shown in (
        ("/today", ours),
        ("contact", said),
        ("/accounts", said),
        ("/partners en", said),
        ("list", said[:40]),
    ):
        together = "\n".join(begun[begin])
        assert [text for text in shown if text not in together] == [], begin
    together = "\n".join(begun["contact"])
    kinds = [" ".join(text.replace("_", " ").split()) for text in said]
    assert [i for i, text in enumerate(said) if f"{i}{text}" not in together or kinds[i] not in together] == []


def test_a_link_is_made_of_nothing_but_an_address_of_the_web(walks):
    hostile, _ = walks
    addresses = {href for _, found in hostile.pages.values() for href in found.addresses}
    assert {shape.partition(":")[0] for shape in addresses if ":" in shape} <= {"https", "mailto", "tel"}
    assert not any(each.startswith("//") for each in addresses) and set(ADDRESSES) & set(hostile.written.said)


def test_downloads_say_what_was_written_and_no_spreadsheet_calculates(walks):
    hostile, plain = walks
    rows = [json.loads(line) for line in hostile.files["ndjson"].split("\n")[:-1]]
    table = list(csv.DictReader(io.StringIO(hostile.files["csv"], newline="")))
    assert len(rows) == len(table) == plain.files["ndjson"].count("\n") > 0
    assert [row["contact_id"] for row in rows] == [text_of(row["contact_id"]) for row in table]
    assert not any(
        cell.lstrip().startswith(("=", "+", "-", "@")) and not _is_number(cell)
        for row in table
        for cell in row.values()
    )


def _is_number(cell):
    return re.fullmatch(r"-?\d+(\.\d+)?", cell) is not None
