import json
from typing import Any

import pytest

from nba.cli import main

TOML = """
[points]
kinds = { visit = 5, service_call = 250 }
thresholds = [{ from = 250, actions = ["call"] }]
[actions.call]
channel = "phone"
cost = 18.0
[actions.mail]
channel = "email"
needs = { points_from = 1000 }
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nba.toml").write_text(TOML)
    (tmp_path / "t.jsonl").write_text(
        '{"identity": "crm:1", "occurred_at": "2026-06-01T10:00:00Z", "kind": "service_call"}\n'
    )
    assert main(["load", "touchpoints", "t.jsonl"]) == 0
    return tmp_path


def answer(capsys, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["recommend", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_it_answers_as_the_service_would_and_logs_nothing(here, capsys) -> None:
    first = answer(capsys, "crm:1", "--as-of", "2026-06-02", "--explain")
    assert first == answer(capsys, "crm:1", "--as-of", "2026-06-02", "--explain")
    assert (first["mode"], first["model_version"], first["as_of"]) == ("points", None, "2026-06-02T00:00:00Z")
    assert first["points"]["total"] == 250
    assert [each["action"] for each in first["removed"]] == ["mail"]


def test_only_what_was_known_strictly_before_counts(here, capsys) -> None:
    assert answer(capsys, "crm:1", "--as-of", "2026-06-01T10:00:00Z")["mode"] == "default"
    assert answer(capsys, "crm:1", "--as-of", "2026-06-01T10:00:00.000001Z")["mode"] == "points"


def test_an_unknown_contact_is_answered(here, capsys) -> None:
    found = answer(capsys, "crm:nobody")
    assert (found["mode"], found["contact_id"], found["do_nothing"]) == ("default", "crm:nobody", True)


def test_it_is_said_that_a_contact_is_unknown_and_of_nobody_else(here, capsys) -> None:
    for words, is_known in (
        (("crm:nobody",), False),
        (("crm:1", "--as-of", "2026-06-01"), False),
        (("crm:1", "--as-of", "2026-06-02"), True),
    ):
        capsys.readouterr()
        assert main(["recommend", *words]) == 0
        told = capsys.readouterr().err
        assert (f"nothing is known of {words[0]!r} before 2026-" in told) is not is_known
        assert ("check the spelling" in told) is not is_known


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--placement", "infocentre"), "--placement: 'infocentre' is not known here; did you mean 'infocenter'?"),
        (("--placement", "xyz"), "--placement: 'xyz' is not known here; there are outbound, infocenter, shop"),
        (("--exclude", "mial"), "--exclude: 'mial' is not known here; did you mean 'mail'?"),
        (
            ("--exclude", "call", "--exclude", "xyz"),
            "'xyz' is not known here; there are call, mail, banner, infocenter",
        ),
    ],
)
def test_names_that_nobody_knows_are_refused_with_those_that_are_known(here, capsys, words, reason) -> None:
    (here / "nba.toml").write_text(TOML + '[actions.banner]\nchannel = "web"\nplacements = ["shop"]\n')
    capsys.readouterr()
    assert main(["recommend", "crm:1", *words]) == 2
    told = capsys.readouterr()
    assert told.out == "" and reason in told.err


def test_what_is_excluded_is_not_offered(here, capsys) -> None:
    found = answer(capsys, "crm:1", "--as-of", "2026-06-03T10:00:00Z")
    assert [each["action"] for each in found["recommendations"]] == ["call"]
    without = answer(capsys, "crm:1", "--as-of", "2026-06-03T10:00:00Z", "--exclude", "call", "--explain")
    assert (
        without["do_nothing"]
        and {"call": "excluded"}.items() <= {each["action"]: each["rule"] for each in without["removed"]}.items()
    )


def test_the_table_shows_terms_and_reasons(here, capsys) -> None:
    capsys.readouterr()
    assert main(["recommend", "crm:1", "--as-of", "2026-06-03T10:00:00Z", "--explain"]) == 0
    shown = capsys.readouterr().out
    for part in (
        "points: 250 = service_call 250",
        "without_action",
        "called the service line 2 days ago",
        "eligibility",
    ):
        assert part in shown


def test_a_wrong_time_and_a_wrong_identity_are_named(here, capsys) -> None:
    assert main(["recommend", "crm:1", "--as-of", "soon"]) == 2
    assert "--as-of" in capsys.readouterr().err
    assert main(["recommend", " "]) == 2
    assert "contact" in capsys.readouterr().err


def test_a_champion_that_cannot_be_read_leaves_the_answer_to_points(here, capsys) -> None:
    (here / "bundles" / "abc").mkdir(parents=True)
    (here / "bundles" / "champion.json").write_text('{"version": "3", "sha256": "abc"}')
    found = answer(capsys, "crm:1", "--as-of", "2026-06-02")
    assert (found["mode"], found["degraded"], found["model_version"]) == ("points", True, None)


def test_what_to_read_can_be_asked_for_too(here, capsys) -> None:
    rows = [{"content_id": f"c{i}", "title": f"Title {i}", "topics": ["pumps"]} for i in range(3)]
    (here / "content.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["load", "content", "content.jsonl", "--set", "known_at=2026-01-01"]) == 0
    found = answer(capsys, "crm:1", "--as-of", "2026-06-02", "--placement", "infocenter", "--limit", "2")
    assert len({each["content_id"] for each in found["recommendations"]} - {None}) == 2
    capsys.readouterr()
    assert main(["recommend", "crm:1", "--limit", "0"]) == 2
    assert "limit" in capsys.readouterr().err


@pytest.fixture
def dealt(here):
    """``crm:9`` belongs to the dealer north, who shows nothing of it; ``cookie:9`` is the same person."""
    at = '"occurred_at": "2026-06-01T10:00:00Z", "kind": "service_call", "topic": "pumps"'
    files = {
        "touchpoints": f'{{"identity": "crm:9", {at}}}\n{{"identity": "cookie:9", {at}}}\n',
        "contacts": '{"identity": "crm:9", "partner": "north", "name": "Ada Person"}\n'
        '{"identity": "crm:8", "partner": "unlisted"}\n',
        "partners": "".join(f'{{"partner": "{name}", "mode": "direct"}}\n' for name in ("north", "south")),
        "links": '{"identity_a": "cookie:9", "identity_b": "crm:9", "seen_at": "2026-06-01T00:00:00Z"}\n',
    }
    for table, lines in files.items():
        (here / f"{table}.jsonl").write_text(lines)
        assert main(["load", table, f"{table}.jsonl"]) == 0
    return here


def shown(capsys, *words: str) -> str:
    capsys.readouterr()
    assert main(["recommend", *words, "--as-of", "2026-06-02T10:00:00Z"]) == 0
    return str(capsys.readouterr().out)


def test_a_partner_that_nobody_knows_is_refused_with_those_that_are_known(dealt, capsys) -> None:
    for asked, names in (("nosuch", ("north", "south", "unlisted")), ("nroth", ("north",))):
        capsys.readouterr()
        assert main(["recommend", "crm:9", "--partner", asked]) == 2
        written = capsys.readouterr()
        assert written.out == "" and all(name in written.err for name in (asked, *names))
        assert "crm:" not in written.err and "Ada" not in written.err
    assert main(["recommend", "crm:8", "--partner", "unlisted"]) == 0
    assert main(["recommend", "crm:9", "--partner", "south", "--as-of", "2026-06-01"]) == 0


@pytest.mark.parametrize(
    "form", [(), ("--explain",), ("--json",), ("--explain", "--json"), ("--placement", "infocenter")]
)
def test_a_contact_of_another_dealer_looks_like_one_that_nobody_knows(dealt, capsys, form) -> None:
    hidden = shown(capsys, "crm:9", "--partner", "south", *form)
    unknown = shown(capsys, "crm:7", "--partner", "south", *form)
    if "--json" in form:
        told, other = json.loads(hidden), json.loads(unknown)
        assert told.pop("decision_id") != other.pop("decision_id")
        assert told.pop("contact_id") == "crm:9" and other.pop("contact_id") == "crm:7"
        assert told == other
    else:
        assert hidden.replace("crm:9", "crm:7") == unknown


def test_the_names_of_decisions_do_not_tell_which_identities_are_one(dealt, capsys) -> None:
    ids = {json.loads(shown(capsys, who, "--json"))["decision_id"] for who in ("crm:9", "cookie:9")}
    assert len(ids) == 2
    own = {json.loads(shown(capsys, w, "--partner", "north", "--json"))["decision_id"] for w in ("crm:9", "cookie:9")}
    assert len(own) == 1


def test_what_is_not_shown_is_said_in_a_sentence(dealt, capsys) -> None:
    text = shown(capsys, "crm:9", "--explain")
    assert "how many actions each gate left is not shown of this contact" in text
    assert "left after each gate" not in text and ": \n" not in text and "service_call" not in text
