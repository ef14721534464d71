"""A sign-in of one side: whatever it asks for, the service answers as if no other side had ever been there."""

import os
from itertools import islice
from urllib.parse import unquote

import pytest

from serving.dashboard.dashboard import PAGES
from serving.dashboard.visit import SEAL
from tests.serving.dashboard.guessing import Forms, drawn, forms, operations, pages, spied, told
from tests.serving.dashboard.page_text import seal_in
from tests.serving.dashboard.sides import KEYS, SIDES, Sides, account, asked_for, crm, planted


class Guesser:
    """What one side is told, in a service with the contacts of some sides."""

    def __init__(self, folder, sides, side):
        folder.mkdir()
        self.side, self.service, self.answers = side, Sides(folder, sides), []

    def asks(self, asked):
        """Ask for what ``asked`` makes of the forms of the pages that were opened first."""
        self.service.run(lambda client: self._asks(client, asked))
        return self.answers

    async def _asks(self, client, asked):
        await self.service.live(client)
        assert (await client.post("/sign-in", data={"key": KEYS[self.side]})).status_code == 303
        own = crm(self.side, 1).replace(":", "%3A")
        paths = [each.path.replace("{contact_id:path}", own) for each in PAGES if each.method == "GET"]
        opened = [(await client.get(path)).text for path in paths]
        seal = next(seal_in(page) for page in opened if f'name="{SEAL}"' in page)
        found = {(to, *fields): (to, fields) for page in opened for to, fields in Forms(page).found}
        for each in asked([form for form in found.values() if form[0] not in ("", "/sign-out")]):
            self.answers.append((each, await told(client, each, seal, KEYS[self.side])))


def compare(tmp_path, monkeypatch, side, names, *ways, is_asked=lambda each: True):
    """Ask a service with everybody, and one with nobody else, the same in the same order."""
    queries = spied(monkeypatch)

    def asked(found):
        made = {"pages": lambda: pages(names, queries), "forms": lambda: forms(found, names)}
        made["operations"] = lambda: operations(names)
        return [each for way in ways for each in made[way]() if is_asked(each)]

    first = Guesser(tmp_path / "all", tuple(SIDES), side).asks(asked)
    second = Guesser(tmp_path / "own", (side,), side).asks(lambda _: [each for each, _ in first])
    others = [word for other in SIDES if other != side for word in planted(other)]
    for (each, seen), (_, usual) in zip(first, second, strict=True):
        said = unquote(repr(each))
        assert [word for word in others if word in seen.text and word not in said] == [], each
        assert seen == usual, each
    return first


@pytest.mark.parametrize("side", ["north", "jane"])
def test_no_page_tells_of_others_whatever_is_guessed(tmp_path, monkeypatch, side):
    foreign = "south" if side == "north" else "north"
    names = [crm(foreign, 1), account(foreign), "gone", f"zoe1@{foreign}.example", "everybody"]
    found = compare(tmp_path, monkeypatch, side, names, "pages")
    assert len(found) > 100
    assert any(told.status == 200 and crm(side, 1) in told.text for _, told in found)


@pytest.mark.slow
@pytest.mark.parametrize("side", ["north", "jane"])
def test_no_page_form_or_operation_tells_of_others_whatever_is_guessed(tmp_path, monkeypatch, record_property, side):
    found = compare(tmp_path, monkeypatch, side, asked_for(side), "pages", "forms", "operations")
    record_property("requests of each service", len(found))
    assert len(found) > 2_000
    assert any(told.status == 200 and crm(side, 1) in told.text for _, told in found)


@pytest.mark.slow
@pytest.mark.parametrize("side", ["north", "jane"])
def test_no_guess_that_is_drawn_tells_of_others(tmp_path, monkeypatch, record_property, side):
    seed, n = int(os.environ.get("NBA_SEED", "1")), int(os.environ.get("NBA_GUESSES", "8"))
    words = [word for other in SIDES if other != side for word in planted(other)]
    names = list(islice(drawn(words, seed), n))
    found = compare(tmp_path, monkeypatch, side, names, "pages", "forms", "operations")
    record_property("requests of each service", len(found))
    assert len(found) > 20 * n
