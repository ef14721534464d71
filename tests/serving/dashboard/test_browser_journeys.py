"""A morning in Chromium: sign in, work off three items, find a contact and read why, change a rule and undo it."""

import pytest

from tests.serving.dashboard.browsed import dealers_served
from tests.serving.dashboard.browsing import each_once, each_way, opened_as, sign_in
from tests.serving.dashboard.morning import change_look_publish_undo, read_why, sign_out, work_off_three

pytestmark = pytest.mark.slow

CHANGES = {"points.thresholds[1].below": ("250", "400"), "points.thresholds[2].from": ("250", "400")}


@pytest.fixture(scope="module")
def dealers_pages(tmp_path_factory):
    with dealers_served(tmp_path_factory.mktemp("dealers")) as found:
        yield found


@pytest.fixture
def opened(chromium, language, device, has_scripts):
    """How the browser is opened."""
    return opened_as(chromium, language, device, has_scripts)


@each_way
def test_a_morning_in_a_shop(shop_pages, opened, language, has_scripts):
    with opened(shop_pages) as page:
        sign_in(page, shop_pages.address, shop_pages.key)
        assert page.locator("html").get_attribute("lang") == language
        work_off_three(page, shop_pages, has_scripts)
        read_why(page, shop_pages)
        sign_out(page, shop_pages)


@each_way
def test_a_rule_is_changed_looked_at_published_and_undone(shop_pages, opened):
    with opened(shop_pages) as page:
        sign_in(page, shop_pages.address, shop_pages.key)
        change_look_publish_undo(page, shop_pages, CHANGES, "fewer calls")
        sign_out(page, shop_pages)


@each_once
def test_a_morning_where_dealers_own_the_contacts(dealers_pages, opened, language, has_scripts):
    with opened(dealers_pages) as page:
        sign_in(page, dealers_pages.address, dealers_pages.key)
        assert page.locator("html").get_attribute("lang") == language
        work_off_three(page, dealers_pages, has_scripts)
        read_why(page, dealers_pages)
        sign_out(page, dealers_pages)
