"""The pages over the demo's real data, in Chromium."""

import shutil

import pytest

from tests.serving.dashboard.browsed import nba, served
from tests.serving.dashboard.browsing import browser, each_way, opened_as, sign_in
from tests.serving.dashboard.morning import change_look_publish_undo, read_why, sign_out, work_off_three

pytestmark = pytest.mark.slow

END = "2018-01-01T05:00:00Z"
"""The data end an hour before."""
SOMEBODY = "household:1"
MAILED = "[actions.campaign_a]                        # 16 coupons picked for the household\n"
CHANGES = {"points.thresholds[1].from": ("30", "60"), "points.thresholds[2].from": ("8", "4")}


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def as_it_is(demo_made, tmp_path_factory):
    """What the demo leaves behind."""
    folder = tmp_path_factory.mktemp("demo") / "as-it-is"
    shutil.copytree(demo_made.folder, folder)
    with served(folder, END, SOMEBODY, SOMEBODY) as found:
        yield found


@pytest.fixture(scope="module")
def handed_over(demo_made, tmp_path_factory):
    """The same data where people hand the coupons of one campaign over, instead of mailing them."""
    folder = tmp_path_factory.mktemp("demo") / "handed-over"
    shutil.copytree(demo_made.folder, folder)
    settings = (folder / "nba.toml").read_text()
    assert MAILED in settings
    (folder / "nba.toml").write_text(settings.replace(MAILED, f'{MAILED}executor = "sales"\n'))
    nba(folder, "score", "--as-of", END, "--out", str(folder / "scores.parquet"))
    with served(folder, END, SOMEBODY, SOMEBODY) as found:
        yield found


@pytest.fixture
def opened(chromium, language, device, has_scripts):
    return opened_as(chromium, language, device, has_scripts)


@each_way
def test_nobody_is_to_be_called_where_everything_is_mailed_and_the_page_says_so(as_it_is, opened, language):
    with opened(as_it_is) as page:
        sign_in(page, as_it_is.address, as_it_is.key)
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("li.item").count() == 0
        assert page.locator("main .card code").inner_text() == 'executor = "sales"'
        read_why(page, as_it_is)
        sign_out(page, as_it_is)


@pytest.mark.parametrize(("language", "device", "has_scripts"), [("en", "phone", True), ("de", "desktop", False)])
def test_thresholds_of_real_data_are_changed_looked_at_published_and_undone(as_it_is, opened):
    with opened(as_it_is) as page:
        sign_in(page, as_it_is.address, as_it_is.key)
        changed = change_look_publish_undo(page, as_it_is, CHANGES, "fewer coupons for the best, more for the others")
        assert changed["gain"] > 50 and changed["lose"] > 50
        sign_out(page, as_it_is)


@each_way
def test_a_morning_where_people_hand_coupons_over(handed_over, opened, language, has_scripts):
    with opened(handed_over) as page:
        sign_in(page, handed_over.address, handed_over.key)
        assert page.locator("html").get_attribute("lang") == language
        work_off_three(page, handed_over, has_scripts)
        read_why(page, handed_over)
        sign_out(page, handed_over)
