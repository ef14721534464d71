"""Every page of the service at a million contacts with twenty million touchpoints, scored: how long its server takes.

A store is filled, ``nba serve`` is started beside a bundle, and somebody who sees everything, owners and dealers sign
in and ask for every page in turn, each time with other filters, words, contacts and accounts, over one connection. The
first round is measured as any other: nothing is opened beforehand. An answer that is none ends the measurement.

Run it with ``make bench-pages``; ``ARGS="--contacts 20000 --touchpoints 400000"`` takes a look at less,
``ARGS=--strict`` exits with 1 where a floor is missed, and ``--folder`` keeps what was filled for the next time.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np

from bench.http_world import make_bundle, serve_with
from bench.pages_figures import keep_figures, offer_leads
from bench.pages_lacks import lacking
from bench.pages_world import (
    PER_ACCOUNT,
    PER_OWNER,
    actions_for_people,
    add_key,
    dealer_of,
    fill,
    name_of,
    owner_of,
    person_of,
    settings_text,
)
from features.store.store import Store
from models.belief import Belief
from nba.door import now_us
from nba.settings import Settings, parse_settings
from serving.dashboard.dashboard import PAGES
from serving.dashboard.session import COOKIE
from serving.keys import new_key
from serving.process import ServerProcess

FLOORS = {"/today": 100.0}
"""Milliseconds of the p95 at most."""
OTHERWISE = 300.0
_DOWNLOADS = (".csv", "/file")
_READERS = 6
"""Owners, and as many dealers, that sign in."""
_OFFERED = 8_000
"""Contacts of which those are offered to their dealers as leads that belong to one."""
_LOOK = 2_000
"""Contacts of the small store whose counts stand for those of the large one."""


@dataclass(frozen=True)
class Reader:
    """Somebody who has signed in; ``cookie`` is what their browser sends."""

    cookie: str
    owner: str | None = None
    partner: str | None = None
    contacts: tuple[int, ...] = ()
    """Some of those they see."""


@dataclass
class Measured:
    """A page with the milliseconds that each of its answers took, and where the longest one came from."""

    path: str
    milliseconds: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    """Of these, how long the server had a processor; on a machine with other work the rest is waiting for one."""
    slowest: tuple[float, str] = (0.0, "")
    lacks: set[str] | None = None
    """What each of its answers said it has nothing of, as names of the page's words; None where nobody has asked."""

    @property
    def floor(self) -> float:
        """The most that its p95 may be."""
        return FLOORS.get(self.path, OTHERWISE)

    def quantile(self, part: float) -> float:
        """Quantile of the milliseconds."""
        return float(np.quantile(self.milliseconds, part))


class Browser:
    """One connection to the service."""

    def __init__(self, address: str) -> None:
        self._connection = HTTPConnection(urlsplit(address).netloc, timeout=120)

    def sign_in(self, key: str) -> str:
        """Sign in with a key; returns what to send as the cookie."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", "/sign-in", urlencode({"key": key, "next": "/today"}), headers)
        answer = self._connection.getresponse()
        answer.read()
        found = re.search(rf"{COOKIE}=[^;]+", answer.getheader("set-cookie") or "")
        if answer.status != 303 or found is None:
            raise RuntimeError(f"the key opens nothing: {answer.status}")
        return found[0]

    def open(self, path: str, cookie: str) -> tuple[float, str]:
        """Ask for a page; returns its milliseconds and its text."""
        began = time.perf_counter()
        self._connection.request("GET", path, headers={"Cookie": cookie, "Accept-Language": "de"})
        answer = self._connection.getresponse()
        text = answer.read()
        took = 1_000 * (time.perf_counter() - began)
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered {answer.status}: {text[:400]!r}")
        return took, text.decode()


@dataclass(frozen=True)
class Asked:
    """What each page is asked with."""

    settings: Settings
    rng: np.random.Generator

    def address(self, path: str, reader: Reader, nth: int) -> str:
        """Return an address of a page for a reader."""
        who = int(self.rng.choice(reader.contacts))
        whose = path.replace("{contact_id:path}", name_of(who))
        whose = whose.replace("{account:path}", f"account:{who // PER_ACCOUNT}")
        query = self._query(path, reader, who, nth)
        return f"{whose}?{urlencode(query)}" if query else whose

    def _query(self, path: str, reader: Reader, who: int, nth: int) -> Mapping[str, object]:
        if path == "/today":
            stages, work = self.settings.stages.names, actions_for_people(self.settings)
            others: tuple[Mapping[str, object], ...] = (
                {},
                {"stage": stages[nth % len(stages)]} if stages else {},
                {"action": work[nth % len(work)]},
                {} if reader.partner or reader.owner else {"owner": owner_of(who)},
                {} if reader.partner or reader.owner else {"partner": dealer_of(who)},
            )
            return others[nth % len(others)]
        if path == "/contacts":
            words = (person_of(who), person_of(who).split()[1], name_of(who), f"044 {who:09}", f"p{who}", "Anna", "")
            return {"q": words[nth % len(words)]}
        if path == "/accounts":
            return {"q": ("", f"account:{who // PER_ACCOUNT}", "ber", "Lin")[nth % 4]}
        if path == "/note":
            return ({}, {"contact": name_of(who)}, {"saved": name_of(who)}, {"q": person_of(who)})[nth % 4]
        if path == "/note/people":
            return {"q": person_of(who)[: 4 + nth % 6]}
        if path == "/actions":
            return ({}, {"since": "ever"})[nth % 2]
        return {}


def readers(browser: Browser, keys: Mapping[str, str], contacts: int, rng: np.random.Generator) -> list[Reader]:
    """Sign everybody in."""
    everybody = tuple(rng.integers(0, contacts, 50).tolist())
    found = []
    for name, key in keys.items():
        kind, cookie = name.partition(":")[0], browser.sign_in(key)
        if kind == "owner":
            own = tuple(i for i in everybody_of_owner(name, contacts))
            found.append(Reader(cookie, owner=name, contacts=own))
        elif kind == "dealer":
            own = tuple(i for i in range(min(contacts, 40_000)) if i // PER_ACCOUNT % 2 and dealer_of(i) == name)
            found.append(Reader(cookie, partner=name, contacts=own))
        else:
            found.append(Reader(cookie, contacts=everybody))
    return found


def everybody_of_owner(name: str, contacts: int) -> range:
    """Return the contacts that an owner is in charge of."""
    first = int(name.partition(":")[2]) * PER_OWNER
    return range(first, min(first + PER_OWNER, contacts))


def addresses() -> dict[str, bool]:
    """Every page there is, and whether those see it who see a part of the contacts only; downloads are no pages."""
    found = {page.path: page.for_bound for page in PAGES if page.method == "GET"}
    return {path: for_bound for path, for_bound in found.items() if not path.endswith(_DOWNLOADS)}


def processor_ms(pid: int) -> float:
    """Milliseconds that a process has had a processor; 0 where the system does not tell."""
    found = (path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(numbers[0]) for numbers in found) / 1e6


def measure(
    server: ServerProcess, keys: Mapping[str, str], settings: Settings, contacts: int, times: int
) -> list[Measured]:
    """Ask for every page so many times, one page after the other in each round."""
    rng = np.random.default_rng(3)
    browser, asked = Browser(server.address), Asked(settings, rng)
    everybody = readers(browser, keys, contacts, rng)
    whole = [each for each in everybody if each.owner is None and each.partner is None]
    found, names = {path: Measured(path) for path in addresses()}, {page.path: page.name for page in PAGES}
    turns = cycle([*whole * _READERS, *everybody[len(whole) :]])
    for nth in range(times):
        reader = next(turns)
        for path, for_bound in addresses().items():
            who = reader if for_bound else whole[0]
            where = asked.address(path, who, nth)
            before = processor_ms(server.pid)
            took, text = browser.open(where, who.cookie)
            found[path].worked.append(processor_ms(server.pid) - before)
            found[path].milliseconds.append(took)
            found[path].slowest = max(found[path].slowest, (took, where))
            lacks = lacking(names[path], text)
            said = found[path].lacks
            found[path].lacks = lacks if said is None else said & lacks
    return list(found.values())


def report(found: list[Measured]) -> bool:
    """Print what was measured; whether every floor is kept."""
    print(f"\n{'page':>28} {'p50 ms':>8} {'p95 ms':>8} {'most':>6}         p95 at work   slowest")
    is_kept = True
    for each in found:
        kept = each.quantile(0.95) <= each.floor
        is_kept = is_kept and kept
        print(f"{each.path:>28} {each.quantile(0.5):>8.1f} {each.quantile(0.95):>8.1f} {each.floor:>6.0f}", end=" ")
        worked, (took, where) = np.quantile(each.worked, 0.95), each.slowest
        print(f"{'kept  ' if kept else 'MISSED'} {worked:>15.1f}   {took:.0f} {where}")
    bare = [f"{each.path} ({', '.join(sorted(each.lacks))})" for each in found if each.lacks]
    print(f"\nwith nothing to show, or nothing of something: {'; '.join(bare) or 'no page'}")
    return is_kept


def make(folder: Path, contacts: int, touchpoints: int) -> None:
    """Fill a folder that ``nba serve`` can serve."""
    began, now = time.perf_counter(), now_us()
    bundle, _ = make_bundle(folder, now)
    serve_with(folder, bundle)
    (folder / "nba.toml").write_text(settings_text(f"sqlite:///{folder / 'nba.db'}"), encoding="utf-8")
    settings, belief = parse_settings((folder / "nba.toml").read_text(encoding="utf-8")), Belief.load(bundle, "1")
    with Store.open(f"sqlite:///{folder / 'small.db'}") as small:
        fill(small, settings, belief, _LOOK, 20 * _LOOK, now)
        with Store.open(settings.store.url) as store:
            fill(store, settings, belief, contacts, touchpoints, now)
            keep_figures(folder, small, store, settings, belief, now)
            offer_leads(store, leads(contacts), now)
    size = sum(path.stat().st_size for path in folder.glob("nba.db*")) / 1e9
    print(f"{contacts:,} contacts filled in {time.perf_counter() - began:.0f} s: {size:.1f} GB", file=sys.stderr)


def leads(contacts: int) -> Iterator[tuple[str, str]]:
    """Return who was offered to which dealer: some of each dealer's contacts, of the first thousands."""
    return ((name_of(i), dealer_of(i)) for i in range(min(contacts, _OFFERED)) if i // PER_ACCOUNT % 2)


def keys_of(contacts: int) -> Iterator[tuple[str, str]]:
    """Return names of keys, each with a key: one that sees everything, owners' and dealers'."""
    yield "all", new_key()
    owners = -(-contacts // PER_OWNER)
    for i in range(_READERS):
        yield owner_of(i * owners // _READERS * PER_OWNER), new_key()
        yield dealer_of((2 * i + 1) * PER_ACCOUNT), new_key()


def main() -> None:
    """Print how long each page takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--touchpoints", type=int, default=20_000_000)
    parser.add_argument("--times", type=int, default=60, help="how often each page is asked for")
    parser.add_argument("--folder", type=Path, help="where the store is filled, or was; default: a temporary folder")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a floor is missed")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = (options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "nba.toml").exists():
            make(folder, options.contacts, options.touchpoints)
        settings = parse_settings((folder / "nba.toml").read_text(encoding="utf-8"))
        keys = dict(keys_of(options.contacts))
        with Store.open(settings.store.url) as store:
            for name, key in keys.items():
                bound = {"owner": name} if name.startswith("owner:") else {"partner": name} if ":" in name else {}
                add_key(store, name, key, now_us(), **bound)
        server = stack.enter_context(ServerProcess(folder / "nba.toml"))
        is_kept = report(measure(server, keys, settings, options.contacts, options.times))
    sys.exit(options.strict and not is_kept)


if __name__ == "__main__":
    main()
