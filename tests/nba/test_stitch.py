"""``nba identities stitch``, and the same after a load."""

import argparse
import io
import json
from pathlib import Path

import pytest

from features.errors import UserError
from features.rows.row_types import LinkRow, SplitRow
from features.store.store import Store
from features.times import DAY, iso
from nba.commands import identities, load
from nba.output import Output
from nba.stitching import consent_word, stitch_store

BEGIN = 20_000 * DAY
ON = "[touchpoints]\nvisitor_stitching = true\n"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NBA_STORE_URL", raising=False)


def call(module, *argv: str) -> tuple[str, str]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path)
    module.register(parser)
    results, notes = io.StringIO(), io.StringIO()
    assert module.run(parser.parse_args(argv), Output(results, notes)) == 0
    return results.getvalue(), notes.getvalue()


def visits() -> str:
    """Two cookies, of which the second took over after 20 days, and the consent of both."""
    lines = ["identity,occurred_at,kind,network,place,device,channel"]
    for identity, days in (("cookie:a", range(0, 20, 2)), ("cookie:b", range(21, 40, 2))):
        lines.append(f"{identity},{iso(BEGIN + days[0] * DAY)},consent_given,,,,stitching")
        lines += [f"{identity},{iso(BEGIN + day * DAY)},page_view,192.0.2.7,Bern,Pixel 8,web" for day in days]
    return "\n".join(lines) + "\n"


def test_switched_off_it_says_how_to_switch_it_on() -> None:
    with pytest.raises(UserError, match="visitor_stitching = true"):
        call(identities, "stitch")


def test_a_load_stitches_says_so_and_the_two_are_one_contact() -> None:
    Path("nba.toml").write_text(ON)
    Path("visits.csv").write_text(visits())
    results, notes = call(load, "touchpoints", "visits.csv", "--json")
    assert json.loads(results)["stored"] == 22
    assert "visitor stitching: 1 pairs" in notes
    shown = json.loads(call(identities, "show", "cookie:b", "--json")[0])
    assert shown["identities"] == ["cookie:a", "cookie:b"]
    assert shown["links"][0]["how"] == "stitched"


def test_a_second_run_writes_nothing_and_tells_the_same() -> None:
    Path("nba.toml").write_text(ON)
    Path("visits.csv").write_text(visits())
    call(load, "touchpoints", "visits.csv")
    told = json.loads(call(identities, "stitch", "--json")[0])
    assert told["pairs"] == 1
    assert (told["new_links"], told["new_splits"]) == (0, 0)
    assert "confidence from" in call(identities, "stitch")[0]


def test_a_load_without_it_links_nobody() -> None:
    Path("visits.csv").write_text(visits())
    call(load, "touchpoints", "visits.csv")
    with Store.open("sqlite:///nba.db") as store:
        assert list(store.link_rows()) == []


def test_what_a_person_split_stays_split() -> None:
    Path("visits.csv").write_text(visits())
    call(load, "touchpoints", "visits.csv")
    Path("nba.toml").write_text(ON)
    with Store.open("sqlite:///nba.db") as store:
        with store.writing() as writing:
            writing.splits([SplitRow("cookie:a", "cookie:b", BEGIN, "two guests", "ann")])
        call(identities, "stitch")
        assert list(store.link_rows()) == []


def test_touchpoints_that_come_late_can_take_a_link_back() -> None:
    Path("nba.toml").write_text(ON)
    Path("visits.csv").write_text(visits())
    call(load, "touchpoints", "visits.csv")
    late = "".join(f"cookie:a,{iso(BEGIN + day * DAY)},page_view,192.0.2.7,Bern,Pixel 8,web\n" for day in range(21, 40))
    Path("late.csv").write_text(visits().splitlines()[0] + "\n" + late)
    call(load, "touchpoints", "late.csv")
    assert json.loads(call(identities, "show", "cookie:b", "--json")[0])["identities"] == ["cookie:b"]


def test_links_that_others_stitched_are_left_alone() -> None:
    Path("nba.toml").write_text(ON)
    with Store.open("sqlite:///nba.db") as store:
        with store.writing() as writing:
            writing.links([LinkRow("cookie:x", "cookie:y", BEGIN, "stitched", 0.95)])
        call(identities, "stitch")
        assert list(store.split_rows()) == []


@pytest.mark.parametrize(
    ("kind", "channel", "properties", "action", "stands"),
    [
        ("consent_given", "stitching", None, None, True),
        ("consent_confirmed", "web", {"channel": "stitching"}, None, True),
        ("consent_given", "web", None, None, None),
        ("consent_presumed", "stitching", {"ground": "customer"}, None, None),
        ("consent_withdrawn", None, None, None, False),
        ("unsubscribed", "email", None, None, None),
        ("unsubscribed", None, None, "newsletter", None),
        ("objection", "web", {"channel": "stitching"}, None, False),
        ("page_view", "stitching", None, None, None),
    ],
)
def test_words_about_stitching(
    kind: str, channel: str | None, properties: dict[str, str] | None, action: str | None, stands: bool | None
) -> None:
    text = json.dumps(properties) if properties else None
    word = consent_word(("cookie:a", BEGIN, "t", kind, channel, *[None] * 7, action, text))
    assert (word and word.stands) == stands


def test_an_empty_store_says_what_is_missing() -> None:
    Path("nba.toml").write_text(ON)
    assert "network, place and device" in call(identities, "stitch")[1]


def test_found_counts_what_stands(tmp_path: Path) -> None:
    Path("visits.csv").write_text(visits())
    call(load, "touchpoints", "visits.csv")
    from features.touchpoints.touchpoints import TouchpointRules

    with Store.open("sqlite:///nba.db") as store:
        found = stitch_store(store, TouchpointRules(visitor_stitching=True), BEGIN + 100 * DAY)
    assert (found.visitors, found.agreed, found.joining) == (2, 2, 1)
    assert found.at[0.7] == 1
