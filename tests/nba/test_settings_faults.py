"""Whatever stands behind a key of nba.toml, the answer is settings or complaints with places."""

import copy
import datetime as dt
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba.settings import SettingsError, parse_settings
from tests.examples import examples

HERE = Path(__file__).parent
FILES = {"example": HERE.parents[1] / "docs" / "nba.example.toml", "variants": HERE / "nba.variants.toml"}
DOCUMENTS = {name: tomllib.loads(path.read_text(encoding="utf-8")) for name, path in FILES.items()}

Where = tuple[str | int, ...]


def keys(found: object, where: Where = ()) -> Iterator[Where]:
    """Every key and every place in a list below a value."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield (*where, key)
            yield from keys(value, (*where, key))
    elif isinstance(found, list):
        for n, value in enumerate(found):
            yield (*where, n)
            yield from keys(value, (*where, n))


def tables(found: object, where: Where = ()) -> Iterator[Where]:
    """Every table below a value."""
    yield from (place for place in [(), *keys(found)] if isinstance(at(found, place), dict))


def at(found: Any, where: Where) -> Any:
    for step in where:
        found = found[step]
    return found


def changed(document: dict[str, Any], where: Where, value: object) -> dict[str, Any]:
    new = copy.deepcopy(document)
    at(new, where[:-1])[where[-1]] = value
    return new


def spelt(where: Where) -> str:
    """The dotted place; an item of a list of values is told by its list."""
    place = ""
    for step in where:
        place += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if place else step
    return place


def named(part: str | Where) -> str:
    return part if isinstance(part, str) else spelt(part)


PLACES = [(name, where) for name, document in DOCUMENTS.items() for where in keys(document)]
TABLES = [(name, where) for name, document in DOCUMENTS.items() for where in tables(document)]

SCALARS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["30d", "-3d", "1y", "never", "sum", "auto", "20:00", "2026-01-01/2026-02-01", "email", "order"]),
    st.integers(-(10**25), 10**25),
    st.integers(-3, 3),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.none() | st.just(dt.UTC)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=examples(600), deadline=None)
@given(st.sampled_from(PLACES), VALUES)
def test_any_value_at_any_key_is_taken_or_complained_of(place: tuple[str, Where], value: object) -> None:
    name, where = place
    try:
        parse_settings(changed(DOCUMENTS[name], where, value))
    except SettingsError as error:
        for complaint in error.complaints:
            found, _, sentence = complaint.partition(": ")
            assert found.strip() and sentence.strip()


@pytest.mark.parametrize(("name", "where"), PLACES, ids=named)
def test_what_can_stand_nowhere_is_refused_at_its_place(name: str, where: Where) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(changed(DOCUMENTS[name], where, [[[]]]))
    list_of_values = where[:-1] if isinstance(where[-1], int) else where
    # Where a list of tables was, the rows of the new list are what is wrong.
    allowed = (f"{spelt(where)}: ", f"{spelt(list_of_values)}: ", f"{spelt(where)}[1]: ")
    assert any(complaint.startswith(allowed) for complaint in caught.value.complaints)


@pytest.mark.parametrize(("name", "where"), TABLES, ids=named)
def test_an_unknown_key_is_refused_at_its_place(name: str, where: Where) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(changed(DOCUMENTS[name], (*where, "colour"), [[[]]]))
    place = spelt((*where, "colour"))
    # An inline value that is not read key by key is complained of as a whole.
    assert any(c.startswith((f"{place}: ", f"{spelt(where)}: ")) for c in caught.value.complaints)
