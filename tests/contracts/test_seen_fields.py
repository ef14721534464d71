"""Whoever sees a contact in part: every key of every answer says what must be shared for it to be seen."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nba.cli import main
from nba.partners.visibility import PARTS, has_parts, needs_of, part_of
from nba.settings import load_settings
from serving import schemas, shown
from training.everybody import whatif_list
from training.plan import rows as plan_rows
from training.score_tasks import schema_of

TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[goals.churn]
absence_of = ["order"]
horizon = "60d"
[points]
kinds = { visit = 5, service_call = 250 }
thresholds = [{ from = 250, actions = ["call"] }]
[points.schemes.events]
kinds = { visit = 1 }
[segments.callers]
points_from = 250
[actions.call]
channel = "phone"
placements = ["outbound", "infocenter"]
[actions.mail]
channel = "email"
needs = { points_from = 1000 }
"""
OPEN_NAMES = ("stage_by_topic", "points.schemes", "interests", "left")
"""Fields whose parts are named by topics, schemes and gates: whoever sees the field sees them all."""


def unclassified(value: object, field: str) -> Iterator[str]:
    """Fields of an answer of which nobody said what must be shared."""
    if needs_of(field) is None:
        yield field
    elif isinstance(value, list):
        for each in value:
            yield from unclassified(each, field)
    elif isinstance(value, dict) and has_parts(field):
        for name, part in value.items():
            yield from unclassified(part, part_of(field, name))


def of_schema(schema: dict[str, Any], field: str) -> Iterator[str]:
    """Fields that a schema describes and of which nobody said what must be shared."""
    if needs_of(field) is None:
        yield field
    elif "items" in schema:
        yield from of_schema(schema["items"], field)
    elif has_parts(field):
        for name, part in schema.get("properties", {}).items():
            yield from of_schema(part, part_of(field, name))
        if isinstance(schema.get("additionalProperties"), dict):
            yield from of_schema(schema["additionalProperties"], part_of(field, "any"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nba.toml").write_text(TOML)
    at = {"occurred_at": "2026-06-01T10:00:00Z", "topic": "pumps"}
    rows = [{"identity": "crm:1", "kind": kind, **at} for kind in ("service_call", "visit", "order")]
    content = [{"content_id": f"c{n}", "title": "A title", "topics": ["pumps"]} for n in range(3)]
    for table, lines in (("touchpoints", rows), ("content", content)):
        (tmp_path / f"{table}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        assert main(["load", table, f"{table}.jsonl"]) == 0
    return tmp_path


@pytest.mark.parametrize("placement", ["outbound", "infocenter"])
def test_every_key_of_an_answer_is_classified(here, capsys, placement):
    capsys.readouterr()
    words = ["recommend", "crm:1", "--as-of", "2026-06-02T10:00:00Z", "--explain", "--json", "--placement", placement]
    assert main(words) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["recommendations"] and answer["stage_by_topic"] and answer["removed"] and answer["points"]["log"]
    assert [field for name, value in answer.items() for field in unclassified(value, name)] == []
    new = {**answer, "shoe_size": 43, "points": {"size": 43}, "recommendations": [{"terms": {"size": 43}}]}
    found = [field for name, value in new.items() for field in unclassified(value, name)]
    assert sorted(found) == ["points.size", "recommendations.terms.size", "shoe_size"]


@pytest.mark.parametrize("schema", [schemas.DECISION, shown.CONTACT], ids=["answer", "profile"])
def test_every_key_that_the_service_describes_is_classified(schema):
    found = [field for name, part in schema["properties"].items() for field in of_schema(part, name)]
    assert found == [] and not any(has_parts(field) for field in OPEN_NAMES)


def test_every_part_is_explained_to_the_owner():
    text = (Path(__file__).parents[2] / "docs" / "owner.md").read_text()
    explained = text.partition("### What you see")[2].partition("###")[0]
    assert [part for part in PARTS if f"`{part}`" not in explained] == []


def test_every_column_of_files_is_classified(here):
    scores = schema_of(load_settings(here / "nba.toml", {})).names
    assert [name for name in scores if needs_of(name) is None] == []
    assert [name for name in plan_rows.COLUMNS if needs_of(f"plan.{name}") is None] == []
    # A row is there only where recommendations are seen.
    assert {needs_of(f"whatif.{name}") for name in whatif_list.COLUMNS} == {("recommendations",)}
