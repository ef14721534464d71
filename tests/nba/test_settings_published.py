"""Claims about values over the settings file: they are those of the file so edited, whatever was published."""

import copy
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features.rows.row_types import SettingsVersion
from features.store.audit import check
from features.store.published import newest_at, newest_settings, settings_versions
from features.store.store import Store
from nba.cli import main
from nba.door import settings_in_force
from nba.published import document_of, in_force, may_be_published, refused, with_file_as_it_is, with_values
from nba.publishing import UNDONE, Draft, draft_of, keep_draft, published_by, with_draft
from nba.settings import SettingsError, load_settings, parse_settings
from nba.settings.changes import overlaid
from nba.settings.differences import changes_between, difference, toml_of, value_at
from nba.settings.rewriting import RewritingError, rewritten

TOML = """\
# Ours.
[goals.conversion]
kinds = ["order"]
horizon = "30d"

[points] # the baseline
kinds = { visit = 5, "page view" = 2 }  # each
half_life = "never"
thresholds = [
  { below = 250, actions = ["mail"] },   # keep nurturing
  { from = 250, actions = ["call"] },
]

[actions.mail]
channel = "email"
cost = 0.05
[actions.call]
channel = "phone"
capacity = { per = "1d", count = 40 }
valid = { from = 2026-01-15 }

[contact_policy]
caps = [{ channel = "email", per = "7d", count = 2 }, { per = "30d", count = 6 }]

[ranking]
epsilon = 0.02
"""
FILE = tomllib.loads(TOML)


def parsed(document=FILE, **more):
    return parse_settings(copy.deepcopy(document), folder=Path("/nowhere"), **more)


def together(values):
    """Leave out what cannot be set beside the rest."""
    whole = [key for key in ("points.thresholds", "actions.call.capacity") if key in values]
    return {k: v for k, v in values.items() if k in whole or not any(k.startswith(key) for key in whole)}


QUICK = settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "points.kinds.visit": st.integers(0, 500),
        'points.kinds."page view"': st.floats(0, 9, allow_nan=False) | st.none(),
        "points.kinds.download": st.integers(1, 9),
        "points.half_life": st.sampled_from(["never", "30d", "12h"]),
        "points.thresholds[1].below": st.integers(1, 400),
        "points.thresholds[2].from": st.integers(1, 400),
        "points.thresholds": st.just([]),
        "contact_policy.caps[1].count": st.integers(0, 9),
        "contact_policy.quiet": st.just({"from": "20:00", "to": "08:00"}) | st.none(),
        "actions.call.capacity.count": st.integers(0, 99),
        "actions.call.capacity": st.none(),
        "actions.call.valid.from": st.just("2026-02-01") | st.none(),
        "actions.letter": st.just({"channel": "letter", "topics": ["a b", 'c"d']}),
        "plan.budget": st.floats(0, 1e6) | st.none(),
        "ranking.levers.call": st.integers(-100, 100),
        "segments.many.points_from": st.integers(0, 9),
    },
).map(together)


@QUICK
@given(VALUES)
def test_what_is_published_is_the_file_so_edited(values) -> None:
    wanted, _ = overlaid(FILE, values)
    changes = difference(FILE, wanted)
    over = with_values(parsed(), changes)
    assert over == parsed(wanted)
    assert all(may_be_published(key) for key in changes)
    assert difference(document_of(over), wanted) == {}
    # From there the page's draft leads to the same.
    assert with_draft(over, {}) == over


@QUICK
@given(VALUES)
def test_exported_the_file_alone_says_the_same_and_keeps_its_comments(values) -> None:
    over = with_values(parsed(), difference(FILE, overlaid(FILE, values)[0]))
    try:
        text = rewritten(TOML, document_of(over))
    except RewritingError:
        # A table with a header of its own is not taken out.
        assert values.get("actions.call", 0) is None
        return
    assert parsed(tomllib.loads(text)) == over
    assert difference(FILE, document_of(over)) or text == TOML
    kept = ("# Ours.", "# the baseline", "# each")
    assert all(comment in text for comment in kept)
    assert "points.thresholds" in values or "# keep nurturing" in text


def test_each_line_that_does_not_change_stays_as_it_is() -> None:
    wanted, _ = overlaid(
        FILE, {"points.thresholds[1].below": 100, 'points.kinds."page view"': None, "plan.budget": 50.5}
    )
    old, new = TOML.splitlines(), rewritten(TOML, wanted).splitlines()
    assert [line for line in new if line not in old] == [
        "kinds = { visit = 5 }  # each",
        '  { below = 100, actions = ["mail"] },   # keep nurturing',
        "[plan]",
        "budget = 50.5",
    ]
    assert len(new) == len(old) + 3


@pytest.mark.parametrize(
    "text",
    [
        'a.b = 1\n[t]\nx = """\n# not a comment ] }\n"""\ny = [ # one\n 1, # two\n]\n',
        "[[t.rows]]\nn = 1\n[[t.rows]]\nn = 2 # second\n[t.rows.deep]\nx = 'a # b'\n",
        "\ufeff[t]\r\nx = 1 # one\r\n[u]\r\nday = 2026-01-01 10:00:00 # at ten\r\n",
        "[t]\nempty = {}\nlist = []\nlast = true",
    ],
)
def test_unusual_texts_are_written_into_as_well(text) -> None:
    before = tomllib.loads(text.removeprefix("\ufeff"))
    for path, value in ((("t", "x"), 7), (("t", "new"), {"a": [1, 2]}), (("u", "more"), "ü\n")):
        wanted = copy.deepcopy(before)
        wanted.setdefault(path[0], {})[path[1]] = value
        new = rewritten(text, wanted)
        assert tomllib.loads(new.removeprefix("\ufeff")) == wanted
        assert ("\r\n" in text) == ("\r\n" in new)
        assert all(comment in new for comment in re.findall("# (?:one|two|second|at ten)", text))


def test_what_may_not_be_published_is_refused_with_what_may() -> None:
    keys = [
        "store.url",
        "contact_policy.consent.email",
        "goals.conversion.horizon",
        "points",
        "privacy.protected",
        "a..b",
    ]
    assert len(refused(keys)) == len(keys)
    with pytest.raises(SettingsError, match=r"store.url: is not published; .*points\.\*"):
        with_values(parsed(), {"store.url": "sqlite:///other.db"})
    with pytest.raises(SettingsError, match=r"plan.budget: .*-1"):
        with_draft(parsed(), {"plan.budget": -1})


def test_of_a_version_only_what_does_not_fit_an_edited_file_is_left_aside() -> None:
    changes = {"points.kinds.visit": 9, "actions.call.cost": 3, "points.thresholds": [{"from": 1, "actions": ["call"]}]}
    edited = copy.deepcopy(FILE)
    del edited["actions"]["call"]
    edited["points"]["thresholds"] = []
    found = in_force(parsed(edited), SettingsVersion(3, 0, "ann", "", {**changes, "store.url": "sqlite:///x"}))
    assert dict(found.source.changes) == {"points.kinds.visit": 9} and found.source.number == 3
    assert found.points.kinds["visit"] == 9 and found.store == parsed(edited).store
    said = " ".join(found.source.left_aside)
    assert "actions.call.channel: is missing" in said and "points.thresholds[1].actions" in said and "store.url" in said


@settings(QUICK, max_examples=15)
@given(st.lists(VALUES | st.integers(1, 8), max_size=6))
def test_any_sequence_of_publishing_and_undoing_is_the_file_with_the_values_of_its_last(
    tmp_path_factory, steps
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('published')}/nba.db"
    base = parsed({**FILE, "store": {"url": url}})
    documents = [base.source.document]
    with Store.open(url) as store:
        for step in steps:
            now = in_force(base, newest_settings(store))
            number = now.source.number
            if isinstance(step, int):
                if step > number:
                    continue
                before = {row.number: row for row in settings_versions(store)}.get(step - 1)
                changes, undoes = (dict(before.changes) if before else {}), step
                documents.append(documents[step - 1])
            else:
                try:
                    changes, undoes = dict(with_draft(now, step).source.changes), None
                except SettingsError:
                    continue
                documents.append(overlaid(document_of(now), step)[0])
            with store.writing() as writing:
                more: dict[str, Any] = {"by": "ann", "reason": "r", "at": number, "undoes": undoes}
                assert published_by(writing, changes, number=number + 1, **more)
                assert not published_by(writing, changes, number=number + 1, **more)
            assert in_force(base, newest_at(url)) == replace(parsed(documents[-1]), store=base.store)
        rows = list(store.audit_rows())
    assert check(rows).fault is None and len(rows) == len(documents) - 1
    assert all((row.what == UNDONE) == (b"undoes" in row.details.encode()) for row in rows)


def test_a_draft_is_kept_by_key_and_gone_when_it_is_empty(tmp_path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store:
        for draft in (Draft(1, {"plan.budget": 5}), Draft(2, {"plan.budget": None, "ranking.epsilon": 0.5})):
            with store.writing() as writing:
                keep_draft(writing, "ann", draft, 1)
            assert (draft_of(store, "ann"), draft_of(store, "ben")) == (draft, None)
        with store.writing() as writing:
            keep_draft(writing, "ann", Draft(3), 1)
        assert draft_of(store, "ann") is None


@QUICK
@given(VALUES)
def test_changes_that_are_told_are_those_that_are_made(values) -> None:
    wanted, _ = overlaid(FILE, values)
    told = changes_between(FILE, wanted)
    assert [value_at(wanted, each.key) for each in told] == [each.after for each in told]
    assert [value_at(FILE, each.key) for each in told] == [each.before for each in told]
    for key in difference(FILE, wanted):
        assert any(each.key.startswith(key) for each in told) or value_at(FILE, key) in ({}, None)


@QUICK
@given(
    st.recursive(
        st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_value_is_spelt_as_toml_reads_it(value) -> None:
    found = tomllib.loads(f"x = {toml_of(value)}")["x"]
    assert found == value


def test_a_store_that_is_not_there_yet_is_not_made_by_asking(tmp_path) -> None:
    base = parsed({**FILE, "store": {"url": f"sqlite:///{tmp_path}/nba.db"}})
    assert settings_in_force(base) is base and list(tmp_path.iterdir()) == []
    (tmp_path / "nba.db").write_bytes(b"something else, and no database")
    assert settings_in_force(base) is base
    away = parsed({**FILE, "store": {"url": "postgresql://nobody@127.0.0.1:1/none"}})
    assert settings_in_force(away) is away


@pytest.fixture
def published(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nba.toml").write_text(TOML)
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store, store.writing() as writing:
        published_by(writing, {"points.kinds.visit": 70, "plan.budget": 9.5}, number=1, by="ann", reason="spring", at=0)
    return tmp_path


def test_settings_are_shown_listed_and_exported(published, capsys) -> None:
    assert main(["settings", "show"]) == 0
    assert "points.kinds.visit  5           70" in " ".join(capsys.readouterr().out.split("\n"))
    before = settings_in_force(load_settings(None, {}))
    assert main(["settings", "export"]) == 0
    text = (published / "nba.toml").read_text()
    assert 'kinds = { visit = 70, "page view" = 2 }  # each' in text
    assert (published / "nba.toml.bak").read_text() == TOML
    after = settings_in_force(load_settings(None, {}))
    assert after == before == load_settings(None, {}) and (after.source.number, after.source.changes) == (2, {})
    assert main(["settings", "versions"]) == 0
    told = capsys.readouterr().out
    assert "ann: spring" in told and "exported into nba.toml" in told
    assert main(["settings", "export"]) == 0
    assert (published / "nba.toml").read_text() == text


def test_what_cannot_be_written_is_told_and_nothing_is(published, capsys) -> None:
    with Store.open(f"sqlite:///{published}/nba.db") as store, store.writing() as writing:
        published_by(writing, {"actions.call": None, "points.thresholds": []}, number=2, by="ann", reason="out", at=0)
    assert main(["settings", "export"]) == 1
    assert "by hand: " in capsys.readouterr().err and (published / "nba.toml").read_text() == TOML
    assert not (published / "nba.toml.bak").exists()


def test_a_service_reads_the_file_again_where_it_may_be_published(published) -> None:
    base = load_settings(None, {})
    edited = TOML.replace("visit = 5", "visit = 70").replace('horizon = "30d"', 'horizon = "9d"')
    (published / "nba.toml").write_text(edited + '[contact_policy.consent]\nemail = "opt_in"\n')
    found = with_file_as_it_is(base)
    assert found.points.kinds["visit"] == 70
    assert (found.goals, found.contact_policy.consent) == (base.goals, base.contact_policy.consent)
    (published / "nba.toml").write_text("[points]\nkinds = 5")
    assert with_file_as_it_is(base) is base


def test_whatif_compares_with_what_is_in_force(published, capsys) -> None:
    with Store.open(f"sqlite:///{published}/nba.db") as store, store.writing() as writing:
        published_by(writing, {"points.thresholds": []}, number=2, by="ann", reason="none", at=0)
    assert main(["whatif", "--set", "points.thresholds[1].below=100"]) == 1
    assert "points.thresholds has 0 entries" in capsys.readouterr().err
