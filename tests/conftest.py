"""For every test: in CI a test that is skipped has not been run, and that is a failure."""

import os
from collections.abc import Generator

import pytest


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
