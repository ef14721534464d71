"""A morning in Chromium: sign in, work off three items, find a contact and read why, change a rule and undo it."""

import re

import pytest

from features.store.published import settings_versions
from tests.serving.dashboard.browsed import dealers_served
from tests.serving.dashboard.browsing import DEVICES, LANGUAGES, sign_in, watched

pytestmark = pytest.mark.slow

_TOLD = "SELECT outcome FROM outcomes"
every = [
    pytest.mark.parametrize("language", LANGUAGES),
    pytest.mark.parametrize("device", DEVICES),
    pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no-scripts"]),
]


def each_way(test):
    """Run a test in both languages, on a phone and a desktop, with scripts and without."""
    for mark in every:
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def dealers_pages(tmp_path_factory):
    with dealers_served(tmp_path_factory.mktemp("dealers")) as found:
        yield found


@pytest.fixture
def opened(chromium, language, device, has_scripts):
    """How the browser is opened."""
    wishes = {"locale": LANGUAGES[language], "viewport": DEVICES[device], "java_script_enabled": has_scripts}
    return lambda served: watched(chromium, served.address, **wishes)


def outcomes(served):
    return sorted(row[0] for row in served.store._all(_TOLD))


def tell(page, has_scripts, outcome, prepare=None):
    """Press a button of the first item that waits; what the page says of it."""
    item = page.locator("li.item:not(.told)").first
    who = item.locator(".person a").first.inner_text()
    button = item.locator(f"button[value={outcome}]")
    if not button.is_visible():
        item.locator("details.more summary").click()
    if prepare is not None:
        prepare(item)
    before = page.locator(".told").count()
    button.click()
    if has_scripts:
        page.locator(".told").nth(before).wait_for()
        assert who in page.locator(".told").nth(before).inner_text()
    else:
        page.wait_for_url(re.compile(rf"said={outcome}"))
        assert page.locator(".note.good[role=status]").count() == 1
    return who


def go(page, path):
    """Follow the menu."""
    link = page.locator(f"nav a[href='{path}']")
    if not link.is_visible():
        page.locator("nav .unfold").click()
    link.click()
    page.wait_for_url(re.compile(path))


def work_off_three(page, served, has_scripts):
    before = outcomes(served)
    people = [
        tell(page, has_scripts, "done"),
        tell(page, has_scripts, "snoozed", lambda item: item.locator("input[name=until]").fill("2027-01-04")),
        tell(page, has_scripts, "rejected", lambda item: item.locator("select[name=reason]").select_option("budget")),
    ]
    assert len(set(people)) == 3
    assert outcomes(served) == sorted([*before, "done", "snoozed", "rejected"])


def read_why(page, served):
    go(page, "/contacts")
    page.fill("input[name=q]", served.sought)
    page.press("input[name=q]", "Enter")
    page.wait_for_url(re.compile(r"q="))
    page.locator(f"main a[href='/contacts/{served.contact.replace(':', '%3A')}']").first.click()
    page.wait_for_url(re.compile("/contacts/"))
    assert served.sought in page.locator("h1").inner_text()
    assert page.locator("main ul.why li, main .offers li").count() > 0


def sign_out(page, served):
    page.locator(".who form button").click()
    page.wait_for_url(re.compile("/sign-in"))
    page.goto(f"{served.address}/today")
    assert page.url.startswith(f"{served.address}/sign-in")


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
    before = settings_versions(shop_pages.store)
    with opened(shop_pages) as page:
        sign_in(page, shop_pages.address, shop_pages.key)
        go(page, "/rules")
        for key in ("points.thresholds[1].below", "points.thresholds[2].from"):
            page.fill(f"input[name='{key}']", "400")
        page.locator("form[action='/rules/edit'] button").first.click()
        page.wait_for_selector("#draft")
        page.locator("form[action='/rules/compare'] button").click()
        page.wait_for_url(re.compile("/rules"))
        compared(page, shop_pages)
        assert settings_versions(shop_pages.store) == before
        page.fill("form[action='/rules/publish'] input[name=reason]", "fewer calls")
        page.locator("form[action='/rules/publish'] button").click()
        page.wait_for_selector(".note.good[role=status]")
        published = settings_versions(shop_pages.store)[len(before) :]
        assert [(row.by, row.reason) for row in published] == [("ann", "fewer calls")]
        assert 400 in published[0].changes.values() or "400" in str(published[0].changes)
        assert page.input_value("input[name='points.thresholds[2].from']") == "400"
        newest = page.locator(".versions > li").first
        newest.locator("details:has(form) > summary").click()
        newest.locator("form[action='/rules/undo'] button").click()
        page.wait_for_selector(".note.good[role=status]")
        undone = settings_versions(shop_pages.store)[-1]
        assert undone.undoes == published[0].number
        assert page.input_value("input[name='points.thresholds[2].from']") == "250"
        sign_out(page, shop_pages)


def compared(page, served):
    """Wait for what a draft would change; without scripts the page is loaded anew."""
    for _ in range(60):
        if page.locator("#compared h3").count():
            return
        page.goto(f"{served.address}/rules?again=1")
        page.wait_for_timeout(1000)
    raise AssertionError(page.locator("#draft").inner_text())


@pytest.mark.parametrize(
    ("language", "device", "has_scripts"),
    [("en", "phone", True), ("de", "phone", False), ("en", "desktop", False), ("de", "desktop", True)],
)
def test_a_morning_where_dealers_own_the_contacts(dealers_pages, opened, language, has_scripts):
    with opened(dealers_pages) as page:
        sign_in(page, dealers_pages.address, dealers_pages.key)
        assert page.locator("html").get_attribute("lang") == language
        work_off_three(page, dealers_pages, has_scripts)
        read_why(page, dealers_pages)
        sign_out(page, dealers_pages)
