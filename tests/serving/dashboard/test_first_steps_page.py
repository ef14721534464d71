"""First steps: each lights up when its data are there; what can be copied works as it stands."""

import json
import re
import shlex
from html import unescape
from itertools import pairwise

import pytest

from features.store.store import Store
from nba.cli import _command_parser, _imported, commands, main
from serving.dashboard.snippets import STEPS, written
from tests.serving.dashboard.counted import CONTACTS, lived
from tests.serving.dashboard.test_actions_page import ALL, read
from tests.serving.dashboard.test_signing_in import KEY, with_key


def lit(page):
    """Names of the steps that are done."""
    return set(re.findall(r'<li class="card lit" id="([a-z]+)">', page))


def test_steps_light_up_as_data_arrive(local):
    with_key(local, scopes=ALL)

    async def journey(client):
        client.headers["authorization"] = f"Bearer {KEY}"
        before = (await read(client, "/first-steps")).text
        await lived(client, local)
        return before, (await read(client, "/first-steps")).text, (await read(client, "/first-steps", "de")).text

    before, english, german = local.run(journey)
    assert lit(before) == {"settings", "keys"}
    assert lit(english) == lit(german) == {"settings", "keys", "touchpoints", "asked", "feedback"}
    assert f"Decisions made here: {CONTACTS}" in english and f"Hier getroffene Entscheidungen: {CONTACTS}" in german
    assert "5 of 9 steps" in english and "5 von 9 Schritten" in german
    assert before.count(">next<") == 1 and ">next<" not in before[: before.index('id="touchpoints"')]


def test_what_can_be_sent_is_taken_as_it_stands(local):
    with_key(local, scopes=ALL)

    async def journey(client):
        page = (await read(client, "/first-steps")).text
        calls = [shlex.split(unescape(each)) for each in re.findall(r"<code>(curl .*?)</code>", page, re.S)]
        found = []
        for call in calls:
            header = dict(part.split(": ") for flag, part in pairwise(call) if flag == "-H")
            assert header == {"Authorization": "Bearer $NBA_KEY"}
            url, body = call[2], call[call.index("-d") + 1]
            json.loads(body)
            found.append((await client.post(url, content=body)).status_code)
        return found, (await read(client, "/first-steps")).text

    found, page = local.run(journey)
    assert found == [200] * 4
    assert {"touchpoints", "asked", "feedback"} <= lit(page)


def test_files_that_are_shown_can_be_loaded(local, tmp_path):
    (tmp_path / "nba.toml").write_text('[goals.conversion]\nkinds = ["order"]\nhorizon = "30d"\n')
    for step in STEPS:
        for what, text in step.snippets:
            if what.startswith("file_"):
                table = what.removeprefix("file_")
                (tmp_path / f"{table}.csv").write_text(written(text, "", "2026-10-01T09:00:00Z", False) + "\n")
                status = main(["--config", str(tmp_path / "nba.toml"), "load", table, str(tmp_path / f"{table}.csv")])
                assert status == 0, table
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        found = store.counts()
    assert (found["touchpoints"], found["decisions"], found["quarantined"]) == (2, 1, 0)


TYPED = [line for step in STEPS for _, text in step.snippets for line in text.splitlines() if line.startswith("nba ")]


@pytest.mark.parametrize("line", sorted({*TYPED, "nba evaluate counts --keep", "nba evaluate daily --keep",
                                         "nba quarantine show", 'nba train promote 4 --reason "..."'}))  # fmt: skip
def test_commands_are_understood(line):
    name, *words = shlex.split(line)[1:]
    parser = _command_parser(name, _imported(name, commands()[name]))
    assert parser.parse_args(words) is not None
