"""What tells a store from every other one, however its URL is spelt and whoever asks it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import URL, make_url

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = frozenset({"127.0.0.1", "::1"})
_SEARCH_PATH = re.compile(r"search_path\s*=\s*((?:\\.|[^\s\\])+)")


def place_of(url: str) -> str:
    """Return where the store of a URL lies: its file, or its server and database, with neither user nor password.

    Parameters
    ----------
    url
        One that a store can be opened by.

    Examples
    --------
    >>> place_of("sqlite:////srv/nba/../nba.db")
    'sqlite:////srv/nba.db'
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return f"sqlite:///{_file(parsed.database or '')}"
    return _server(parsed)


def _file(database: str) -> Path:
    name = unquote(urlsplit(database).path) if database.startswith("file:") else database
    return Path(name).resolve()


def _server(url: URL) -> str:
    from psycopg import conninfo, pq

    # What the URL leaves out the driver takes from the environment, and so it may well be written there instead.
    asked: dict[str, str] = {
        option.keyword.decode(): option.val.decode() for option in pq.Conninfo.get_defaults() if option.val is not None
    }
    named = conninfo.conninfo_to_dict(url.set(drivername="postgresql").render_as_string(hide_password=False))
    asked |= {name: str(value) for name, value in named.items() if value is not None}
    database = asked.get("dbname") or asked.get("user", "")
    hosts = asked.get("host") or asked.get("hostaddr", "")
    return f"postgresql://{','.join(_hosts(hosts, asked.get('port', '')))}/{database}{_schema(asked)}"


def _hosts(hosts: str, ports: str) -> list[str]:
    """Return each host with its port, sorted: in which order they are tried is nothing to the store."""
    names, numbers = hosts.split(","), ports.split(",")
    numbers = numbers * len(names) if len(numbers) == 1 else numbers
    return sorted(f"{_host(name)}:{number or 5432}" for name, number in zip(names, numbers, strict=False))


def _host(name: str) -> str:
    return "localhost" if name in _HERE else name if name.startswith("/") else name.lower()


def _schema(asked: Mapping[str, str]) -> str:
    """Return the search path that is asked for: stores may lie in different schemas of one database."""
    found = _SEARCH_PATH.findall(asked.get("options", ""))
    return f"?search_path={found[-1]}" if found else ""
