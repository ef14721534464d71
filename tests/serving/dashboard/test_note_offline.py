"""Notes in a hall without a network, in Chromium: they wait on the phone and are stored later, once."""

import os
import time

import pytest

from features.store.store import Store
from nba.door import now_us
from serving.dashboard import session
from serving.issuing import Rights, issue
from serving.process import ServerProcess

pytestmark = pytest.mark.slow

CHROMIUM = os.environ.get("NBA_CHROMIUM", "/usr/bin/chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SCOPES = ("read", "recommend", "feedback", "ingest")
PHONE = {"viewport": {"width": 390, "height": 844}, "locale": "de-CH"}
_ALL = "SELECT identity, kind, properties FROM touchpoints ORDER BY occurred_at"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    settings = folder / "nba.toml"
    settings.write_text('[actions.sales_call]\nchannel = "phone"\ntopics = ["pumps"]\n')
    with ServerProcess(settings) as server, Store.open(f"sqlite:///{folder}/nba.db") as store:
        keys = [
            issue(store, Rights(name=name, scopes=SCOPES), by="test", now_us=now_us()).key for name in ("ann", "bob")
        ]
        time.sleep(2.1)
        yield store, server.address, keys


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        yield started.chromium.launch(executable_path=CHROMIUM, args=ARGS)


def sign_in(page, address, key, next_="/note"):
    page.goto(f"{address}/sign-in?next={next_}")
    page.fill("input[name=key]", key)
    page.click("button.main")
    page.wait_for_selector("#note")


def until(page, expression):
    """Wait until something is true of the page; its policy lets no text be run that waits there."""
    for _ in range(300):
        if page.evaluate(expression):
            return
        time.sleep(0.1)
    raise AssertionError(f"never came true: {expression}")


def ready(page):
    """Wait until the phone keeps the empty form."""
    page.evaluate("navigator.serviceWorker.ready")
    until(page, "caches.match('/note/offline').then(Boolean)")


def write(page, name, words="wants a quote"):
    page.fill("#note input[name=name]", name)
    page.fill("#note textarea[name=words]", words)
    page.click("#note button.main")


def stored(store, n):
    for _ in range(100):
        rows = store._all(_ALL)
        if len(rows) >= n:
            break
        time.sleep(0.1)
    return rows


def test_notes_wait_without_a_network_and_are_stored_later_once(service, browser):
    store, address, (ann, bob) = service
    context = browser.new_context(**PHONE)
    page = context.new_page()
    foreign = []
    page.on("request", lambda request: None if request.url.startswith(address) else foreign.append(request.url))
    sign_in(page, address, ann)
    ready(page)

    context.set_offline(True)
    write(page, "Eins <b>")
    page.wait_for_selector("#waiting:not([hidden])")
    # The page opens anew without a network, too, and nothing of anybody is in what was kept.
    page.goto(f"{address}/note")
    assert "Es gibt kein Netz" in page.content()
    kept = page.evaluate("caches.match('/note/offline').then((found) => found.text())")
    assert "ann" not in kept.split() and "Eins" not in kept
    write(page, "Zwei")
    until(page, "document.getElementById('waiting').textContent.includes('2 Notizen')")
    assert store._all(_ALL) == []

    # The sign-in has run out meanwhile: notes stay, and the reader is asked to sign in.
    cookie = next(each for each in context.cookies() if each["name"] == session.COOKIE)
    context.clear_cookies(name=session.COOKIE)
    context.set_offline(False)
    page.wait_for_selector("#waiting a[href^='/sign-in']")
    assert "Anmeldung ist abgelaufen" in page.inner_text("#waiting")
    assert store._all(_ALL) == []

    # Somebody else signs in on the same phone: what ann wrote is not sent in bob's name.
    sign_in(page, address, bob)
    until(page, "document.getElementById('waiting').textContent.includes('ann')")
    assert store._all(_ALL) == []

    context.clear_cookies(name=session.COOKIE)
    context.add_cookies([cookie])
    queue = page.evaluate("localStorage.getItem('nba_notes')")
    page.goto(f"{address}/note")
    rows = stored(store, 2)
    assert [row[1] for row in rows] == ["fair_visit"] * 2
    until(page, "document.getElementById('waiting').hidden")
    assert page.evaluate("localStorage.getItem('nba_notes')") == "[]"

    # An answer that was lost on its way: the phone sends all of it again.
    page.evaluate("(queue) => localStorage.setItem('nba_notes', queue)", queue)
    page.reload()
    until(page, "localStorage.getItem('nba_notes') === '[]'")
    assert len(store._all(_ALL)) == 2
    assert foreign == []
    context.close()


def test_a_note_that_is_refused_is_kept_until_it_is_thrown_away(service, browser):
    store, address, (ann, _) = service
    before = len(store._all(_ALL))
    context = browser.new_context(**PHONE)
    page = context.new_page()
    sign_in(page, address, ann)
    ready(page)
    context.set_offline(True)
    write(page, "")
    page.wait_for_selector("#waiting:not([hidden])")
    context.set_offline(False)
    page.wait_for_selector("#waiting button")
    assert "Geben Sie Name" in page.inner_text("#waiting")
    page.click("#waiting button")
    until(page, "document.getElementById('waiting').hidden")
    assert len(store._all(_ALL)) == before
    context.close()


def test_without_scripts_a_note_is_a_form(service, browser):
    store, address, (ann, _) = service
    before = len(store._all(_ALL))
    context = browser.new_context(java_script_enabled=False, **PHONE)
    page = context.new_page()
    sign_in(page, address, ann)
    write(page, "Drei")
    page.wait_for_load_state()
    assert "Es ist gespeichert" in page.content() and "Drei" in page.content()
    page.fill("input[name=q]", "Drei")
    page.click("form.filters button")
    page.click("#people a")
    page.wait_for_load_state()
    page.click("#note button.main")
    page.wait_for_load_state()
    assert len(store._all(_ALL)) == before + 2
    context.close()
