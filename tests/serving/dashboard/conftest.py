"""One browser, one shop and one world of dealers for all tests of the pages that need them."""

import os

import pytest

from tests.serving.dashboard.browsed import MORNING, made_shop, served

CHROMIUM = os.environ.get("NBA_CHROMIUM", "/usr/bin/chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def chromium():
    """A browser as it is installed on this machine."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def shop_pages(tmp_path_factory, empty_mlflow):
    """A shop that has learned and scored everybody, served."""
    folder = tmp_path_factory.mktemp("browsed")
    made_shop(folder, empty_mlflow)
    with served(folder, MORNING, "crm:1", "Ada Muster001", "account:0") as found:
        yield found
