"""One browser for a module, and one shop for all tests of the pages that need it."""

import pytest

from tests.serving.dashboard.browsed import MORNING, made_shop, served
from tests.serving.dashboard.browsing import browser


@pytest.fixture(scope="module")
def chromium():
    """Closed with the module: while it is open no other test of the process could run an event loop of its own."""
    with browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def shop_pages(tmp_path_factory, empty_mlflow):
    """A shop that has learned and scored everybody, served."""
    folder = tmp_path_factory.mktemp("browsed")
    made_shop(folder, empty_mlflow)
    with served(folder, MORNING, "crm:1", "Ada Muster001", "account:0") as found:
        yield found
