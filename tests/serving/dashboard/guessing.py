"""Somebody who asks for everything there is to ask for, with whatever names can be guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

from serving.app import OPERATIONS
from serving.dashboard.dashboard import PAGES
from serving.dashboard.visit import SEAL, Visit

_DRAWN = re.compile(r"\b[0-9a-f]{32,64}\b|(?<=cursor=)[A-Za-z0-9_-]+|(?<=\"next_cursor\":\")[^\"]+")
"""Seals, ids that are drawn, and cursors, which are enciphered anew each time."""
_PASSING = ("content-length", "date", "location", "set-cookie", "x-request-id")
"""Heads that depend on chance or on the clock, or are compared by themselves."""


class Asked(NamedTuple):
    """A request; ``form`` and ``body`` None where there is none."""

    method: str
    path: str
    form: Mapping[str, str] | None = None
    body: Any = None


class Told(NamedTuple):
    """An answer as far as it does not depend on chance."""

    status: int
    location: str | None
    text: str
    headers: tuple[tuple[str, str], ...] = ()


class Forms(HTMLParser):
    """The forms of a page that are posted: where to, and with which fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a form or of a field of the last one."""
        told = dict(attrs)
        if tag == "form":
            self.found.append((told.get("action") or "", {}) if told.get("method") == "post" else ("", {}))
        elif tag in ("input", "select", "textarea", "button") and told.get("name") and self.found:
            self.found[-1][1].setdefault(str(told["name"]), told.get("value") or "")


def pages(names: Sequence[str], queries: Mapping[str, set[str]]) -> Iterator[Asked]:
    """Open each page, with each name in each part of its address.

    Parameters
    ----------
    queries
        What each page reads behind the question mark, by its name.
    """
    for page in (each for each in PAGES if each.method == "GET"):
        paths = {_filled(page.path, name) for name in names}
        yield from (Asked("GET", path) for path in sorted(paths))
        usual = sorted(paths)[0]
        for query in sorted(queries.get(page.name, ())):
            yield from (Asked("GET", f"{usual}?{query}={quote(name, safe='')}") for name in names)


def forms(found: Sequence[tuple[str, dict[str, str]]], names: Sequence[str]) -> Iterator[Asked]:
    """Send each form with each name in each of its fields, and to each page whose address has a name in it."""
    for action, fields in found:
        for field in fields.keys() - {SEAL}:
            yield from (Asked("POST", action, {**fields, field: name}) for name in names)
    every = {name: value for _, fields in found for name, value in fields.items()}
    for page in (each for each in PAGES if each.method == "POST"):
        for name in names:
            yield Asked(
                "POST", _filled(page.path, name), {**every, "contact": name, "outcome": "done", "answer": "accept"}
            )


def operations(names: Sequence[str]) -> Iterator[Asked]:
    """Call each operation, with each name in each part of its address and of its body."""
    for each in sorted(OPERATIONS, key=lambda each: each.id == "erasePerson"):
        if each.without_key or each.id == "getMetrics":
            continue
        paths = sorted({_filled(each.path, name) for name in names})
        bodies = [None] if each.request is None else list(_bodies(each.request_example, names))
        for path in paths:
            yield from (Asked(each.method, path, body=body) for body in (bodies[:1] if len(paths) > 1 else bodies))
        for parameter in each.parameters:
            if parameter.place == "query":
                asked = (f"{paths[0]}?{parameter.name}={quote(name, safe='')}" for name in names)
                yield from (Asked(each.method, path, body=bodies[0]) for path in asked)


def _bodies(example: Any, names: Sequence[str]) -> Iterator[Any]:
    yield example
    for path in _leaves(example):
        yield from (_with(example, path, name) for name in names)


def _leaves(example: Any) -> Iterator[tuple[Any, ...]]:
    if isinstance(example, str):
        yield ()
    pairs = example.items() if isinstance(example, dict) else enumerate(example) if isinstance(example, list) else ()
    for name, part in pairs:
        yield from ((name, *more) for more in _leaves(part))


def _with(example: Any, path: tuple[Any, ...], name: str) -> Any:
    if not path:
        return name
    found = dict(example) if isinstance(example, dict) else list(example)
    found[path[0]] = _with(found[path[0]], path[1:], name)
    return found


def _filled(path: str, name: str) -> str:
    return re.sub(r"\{[^}]*\}", lambda _: quote(name, safe=""), path)


async def told(client: Any, asked: Asked, seal: str, key: str) -> Told:
    """Ask, by a sign-in or by its key."""
    head = {"Authorization": f"Bearer {key}"} if asked.path.startswith("/v1") else {"accept-language": "en"}
    if asked.form is not None:
        answer = await client.post(asked.path, data={**asked.form, SEAL: seal}, headers=head)
    else:
        more = (
            {}
            if asked.body is None
            else {"content": json.dumps(asked.body), "headers": head | {"content-type": "application/json"}}
        )
        answer = await client.request(asked.method, asked.path, **({"headers": head} | more))
    location = answer.headers.get("location")
    text = _DRAWN.sub("*", answer.text)
    # What is drawn may be longer or shorter, and the length of the text with it.
    heads = sorted((name, _DRAWN.sub("*", value)) for name, value in answer.headers.items() if name not in _PASSING)
    return Told(answer.status_code, None if location is None else _DRAWN.sub("*", location), text, tuple(heads))


def drawn(words: Sequence[str], seed: int) -> Iterator[str]:
    """Make guesses out of words, without an end: other letters, wildcards, halves and neighbours of each.

    Parameters
    ----------
    seed
        The same guesses for the same seed.
    """
    rng = Random(seed)
    ways = (
        str.upper, str.title, str.swapcase, lambda x: x + "%", lambda x: "%" + x[1:], lambda x: x.replace("-", "_"),
        lambda x: x[: len(x) // 2], lambda x: x[:-1], lambda x: x + rng.choice("0123456789"), lambda x: f" {x} ",
        lambda x: x[: x.find(":") + 1] + x[x.find(":") + 1 :][::-1], lambda x: x.replace(":", "%3A"), lambda x: x + "/",
        lambda x: x + "\u200b", lambda x: f'"{x}"', lambda x: f"{x}' OR '1'='1", lambda x: x + "*", lambda x: x + "?",
        lambda x: x.replace("south", rng.choice(("nor", "sou", "jan", "*"))), lambda x: x.partition(":")[2] or x,
    )  # fmt: skip
    while True:
        yield rng.choice(ways)(rng.choice(words))


def spied(monkeypatch: Any) -> dict[str, set[str]]:
    """Take note of what each page reads behind the question mark, by its name, while it is asked for."""
    found: dict[str, set[str]] = {}
    reads = Visit.query

    def query(visit: Visit, name: str, usual: str = "") -> str:
        found.setdefault(visit.page, set()).add(name)
        return reads(visit, name, usual)

    monkeypatch.setattr(Visit, "query", query)
    return found
