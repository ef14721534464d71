"""Where things are kept: the store and MLflow; ``[store]`` and ``[mlflow]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from nba.settings import values
from nba.settings.table import Table

_STORES = ("sqlite", "postgresql", "postgresql+psycopg")


@dataclass(frozen=True)
class StoreSettings:
    """The store's URL, with a relative SQLite path made absolute."""

    url: str = "sqlite:///nba.db"


@dataclass(frozen=True)
class MlflowSettings:
    """Where runs and models are kept, with relative paths made absolute."""

    tracking_uri: str = "sqlite:///mlflow.db"
    model: str = "nba"
    artifacts: Path = Path("mlartifacts")
    """Where artifacts go when the tracking URI is a database of ours."""


def read_store(table: Table, folder: Path, environ: Mapping[str, str]) -> StoreSettings:
    """Read ``[store]``; ``NBA_STORE_URL`` wins."""
    url = table.take("url", _store_url, StoreSettings.url)
    table.close()
    return StoreSettings(_absolute(environ.get("NBA_STORE_URL") or url, folder))


def read_mlflow(table: Table, folder: Path, environ: Mapping[str, str]) -> MlflowSettings:
    """Read ``[mlflow]``; ``MLFLOW_TRACKING_URI`` wins."""
    uri = table.take("tracking_uri", _without_password, MlflowSettings.tracking_uri)
    model = table.take("model", _model_name, MlflowSettings.model)
    table.close()
    uri = environ.get("MLFLOW_TRACKING_URI") or uri
    if "://" not in uri and uri != "databricks" and not uri.startswith("file:"):
        uri = str(folder / uri)
    return MlflowSettings(_absolute(uri, folder), model, folder / MlflowSettings.artifacts)


def _store_url(value: object) -> str:
    url = _without_password(value)
    scheme, mark, _ = url.partition("://")
    if not mark or scheme not in _STORES:
        raise ValueError(
            f'{values.show(value)} is not a store; write "sqlite:///nba.db" or "postgresql+psycopg://user@host/db"'
        )
    return url


def _without_password(value: object) -> str:
    url = values.text(value)
    try:
        password = urlsplit(url).password
    except ValueError as error:
        raise ValueError(f"{values.show(url)} is not a URL: {error}") from None
    if password:
        raise ValueError("carries a password, and secrets never stand here; set it by an environment variable")
    return url


def _model_name(value: object) -> str:
    name = values.text(value)
    if "/" in name or ":" in name or not name.strip("."):
        raise ValueError(f"{values.show(name)} is not a model's name; leave out / and :")
    return name


def _absolute(url: str, folder: Path) -> str:
    """Anchor a relative SQLite path at the folder of the file."""
    mark = "sqlite:///"
    path, query, rest = url[len(mark) :].partition("?")
    if not url.startswith(mark) or not path or path.startswith((":memory:", "file:")):
        return url
    return f"{mark}{(folder / path).as_posix()}{query}{rest}"
