"""The documents are under test: what they say is there, is there, and what is there, they say."""

import argparse
import doctest
import re
import runpy
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from features.catalogue import CATALOGUE
from nba.cli import SUMMARIES, commands, main
from nba.settings import parse_settings

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(DOCS.glob("**/*.md")),
    ROOT / "bench/README.md",
    ROOT / "notebooks/README.md",
]
EXAMPLE = (DOCS / "nba.example.toml").read_text(encoding="utf-8")

NAMED_BY_THE_OWNER = {
    "actions",
    "actions.*.needs.traits",
    "contact_policy.consent",
    "goals",
    "money.rates",
    "points.fit.points",
    "points.kinds",
    "points.schemes",
    "points.schemes.*.kinds",
    "ranking.levers",
    "segments",
    "segments.*.traits",
    "stages.rules",
}
"""Tables whose keys are names that the owner chooses."""


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(language: str) -> list[Any]:
    """Fenced blocks of a language, with the page and the line they begin at."""
    blocks = []
    for page in PAGES:
        text = text_of(page)
        for found in re.finditer(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, found.start()) + 1
            blocks.append(pytest.param(found[1], id=f"{name_of(page)}:{line}"))
    return blocks


def parsers_below(name: str) -> Iterator[str]:
    """Return ``train run`` and the like: subcommands of a subcommand."""
    parser = argparse.ArgumentParser()
    import_module(commands()[name].value).register(parser)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from (f"{name} {below}" for below in action.choices)


@pytest.mark.parametrize("name", list(commands()))
def test_every_command_has_a_summary_and_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert re.search(rf"examples?:\n  nba {name}\b", shown), shown
    assert name in SUMMARIES


@pytest.mark.parametrize("name", list(commands()))
def test_every_command_stands_in_the_guide(name: str) -> None:
    guide = text_of(DOCS / "commands.md")
    for spelt in [name, *parsers_below(name)]:
        assert f"`nba {spelt}" in guide


@pytest.mark.parametrize("spelt", sorted(set(re.findall(r"`nba ([a-z]+)", "".join(map(text_of, PAGES))))))
def test_no_command_is_promised_that_is_not_there(spelt: str) -> None:
    assert spelt in commands()


def keys_of(document: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """Every key as a dotted place, names that the owner chooses as ``*``."""
    for key, value in document.items():
        named = place in NAMED_BY_THE_OWNER
        at = f"{place}.*" if named else f"{place}.{key}".lstrip(".")
        if not named:
            yield at
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, Mapping):
                yield from keys_of(each, at)


def example_keys() -> set[str]:
    """Keys of the example, also those of its alternatives, which stand in comments."""
    found = set(keys_of(tomllib.loads(EXAMPLE)))
    section = ""
    for line in EXAMPLE.splitlines():
        if heading := re.match(r"\[([\w.]+)\]", line):
            section = re.sub(r"^(goals|actions)\.\w+", r"\1.*", heading[1])
        elif key := re.match(r"# (\w+) = ", line):
            found.add(f"{section}.{key[1]}")
    return found


def owner_sections() -> dict[str, str]:
    """Text of each section of the owner's guide by the table it is about."""
    parts = re.split(r"^## `\[(\w+)[^\n]*\n", text_of(DOCS / "owner.md"), flags=re.MULTILINE)
    found: dict[str, str] = {}
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        found[name] = found.get(name, "") + text
    return found


@pytest.mark.parametrize("key", sorted(example_keys()))
def test_every_key_of_the_example_stands_in_the_owners_guide(key: str) -> None:
    section = owner_sections()[key.split(".")[0]]
    last = key.split(".")[-1]
    assert "." not in key or re.search(rf"`(\w+\.)*{last}`", section), f"{last} is not explained"


def test_the_owners_guide_marks_exactly_what_is_not_built() -> None:
    marked = set()
    for section, text in owner_sections().items():
        if text.lstrip().startswith("**Not built yet.**"):
            marked.add(section)
        for key in re.findall(r"^\| `([\w.]+)` \|.*\*\*not built yet\*\*", text, re.MULTILINE):
            marked.add(f"{section}.{key}")
    told = parse_settings(EXAMPLE).not_built_yet
    found = {re.sub(r"\[\d+\]", "", re.sub(r"^actions\.\w+", "actions", key)) for key in told}
    assert marked == found


@pytest.mark.parametrize("feature", CATALOGUE, ids=lambda feature: str(feature.name))
def test_every_feature_stands_in_the_guide(feature: Any) -> None:
    assert f"| `{feature.name}` | {feature.unit} | {feature.window} | {feature.means} |" in text_of(
        DOCS / "features.md"
    )


def test_the_page_of_features_is_what_the_catalogue_makes() -> None:
    made = runpy.run_path(str(DOCS / "features_page.py"))["page"]()
    assert text_of(DOCS / "features.md") == made, "run `make docs`"


def test_the_page_of_views_is_what_their_definitions_make() -> None:
    made = runpy.run_path(str(DOCS / "bi_page.py"))["page"]()
    assert text_of(DOCS / "bi.md") == made, "run `make docs`"


def test_the_example_is_sound() -> None:
    assert parse_settings(EXAMPLE).goals


@pytest.mark.parametrize("block", blocks("toml"))
def test_settings_in_the_documents_are_sound(block: str) -> None:
    parse_settings(block)


@pytest.mark.parametrize("block", blocks("python"))
def test_python_in_the_documents_does_what_it_shows(block: str) -> None:
    test = doctest.DocTestParser().get_doctest(block, {}, "block", None, 0)
    if test.examples:
        assert doctest.DocTestRunner().run(test).failed == 0
    else:
        compile(block, "block", "exec")


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links() -> list[Any]:
    return [
        pytest.param(page, target, id=f"{name_of(page)} -> {target}")
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page))
    ]


@pytest.mark.parametrize(("page", "target"), links())
def test_links_lead_somewhere(page: Path, target: str) -> None:
    assert "://" not in target, "the documents stand on their own: link to files of the project"
    path, _, anchor = target.partition("#")
    found = page if not path else (page.parent / path).resolve()
    assert found.exists()
    assert not anchor or anchor in anchors(found)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_documents_name_no_machine(page: Path) -> None:
    assert not re.search(r"(?<![\w.])/(work|root|home|Users|opt|farm)/", text_of(page))


def test_every_address_of_the_service_stands_in_the_integrators_guide() -> None:
    operations = import_module("serving.app").OPERATIONS
    guide = text_of(DOCS / "integrator.md")
    missing = [each.path for each in operations if f"{each.method} {each.path}" not in guide]
    assert not missing


def test_the_lock_names_no_host_and_has_a_hash_for_everything() -> None:
    lock = text_of(ROOT / "requirements.lock")
    assert not re.search(r"https?:|index-url|find-links|trusted-host", lock)
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
