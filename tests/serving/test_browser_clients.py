"""The browser libraries, unmodified, in Chromium, on pages of another origin, with a public key."""

import os
import time

import httpx
import pytest

from features.identity.members import members_of
from features.store.store import Store
from features.touchpoints.touchpoints import TouchpointRules
from nba.door import now_us
from serving.issuing import Rights, issue
from serving.process import ServerProcess
from tests.serving.fault_proxy import DROP, FaultProxy, decoded
from tests.serving.node_packages import installed
from tests.serving.site import site_of
from tests.serving.told import OfMessages, check

pytestmark = pytest.mark.slow

CHROMIUM = os.environ.get("NBA_CHROMIUM", "/usr/bin/chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
"""What a browser says that is not driven by a program: mails that HeadlessChrome opens count as a machine's."""

HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Pumps</title></head><body>'

CALLS = """
    client.page("Docs", "Pricing", {url: "https://ex.com/pumps"});
    client.track("Email Opened", {subject: "Grüße 🎉"});
    client.identify("crm:4711", {
      email: "ana@example.com", firstName: "Ana", lastName: "Meier", company: {name: "Acme", employees: 120}});
    client.track("Product Added", {
      productId: "prime-100mg", revenue: 9.5, currency: "chf", topic: "pumps", colours: ["red", "blue"],
      size: {width: 2}});
    client.group("acct-77", {name: "Acme", plan: "enterprise"});
"""

SEGMENT = """
  <script src="/node_modules/@segment/analytics-next/dist/umd/index.js"></script>
  <script>
    const client = AnalyticsNext.AnalyticsBrowser.load(
      {writeKey: "KEY", cdnURL: "SERVICE"}, {integrations: {"Segment.io": BATCHING}});
    CALLS
    client.alias("crm:4711-b");
  </script></body></html>
"""

RUDDER = """
  <script src="/node_modules/@rudderstack/analytics-js/dist/npm/legacy/bundled/umd/index.js"></script>
  <script>
    const client = new rudderanalytics.RudderAnalytics();
    client.load("KEY", "SERVICE", {configUrl: "SERVICE", logLevel: "ERROR"});
    CALLS
    client.alias("crm:4711-b");
  </script></body></html>
"""

PAGES = {
    "segment": SEGMENT.replace("BATCHING", "{}"),
    "segment-batching": SEGMENT.replace(
        "BATCHING", '{deliveryStrategy: {strategy: "batching", config: {size: 100, timeout: 500}}}'
    ),
    "rudder": RUDDER,
}
FAULTS: tuple[list[int | str], ...] = ([], [500], [429], [DROP])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder of pages that are served under an origin of their own."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "node_modules").symlink_to(installed(tmp_path_factory.mktemp("packages")))
    with site_of(folder) as origin:
        yield folder, origin


@pytest.fixture(scope="module")
def service(tmp_path_factory, site):
    folder = tmp_path_factory.mktemp("service")
    settings = folder / "nba.toml"
    settings.write_text("[money]\nrates = { CHF = 1.05 }\n")
    with ServerProcess(settings) as server, Store.open(f"sqlite:///{folder}/nba.db") as store:
        rights = Rights(name="shop", scopes=("ingest",), public=True, origins=(site[1],))
        key = issue(store, rights, by="test", now_us=now_us()).key
        wait_until(lambda: httpx.get(f"{server.address}/v1/model", trust_env=False).status_code == 401)
        yield store, server, key


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield opened
        opened.close()


def wait_until(is_so, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


@pytest.mark.parametrize("faults", FAULTS, ids=lambda faults: "-".join(map(str, faults)) or "none")
@pytest.mark.parametrize("library", PAGES)
def test_a_page_has_everything_stored_once(library, faults, site, service, browser):
    folder, origin = site
    store, server, key = service
    began = time.time()
    with FaultProxy(server.address, faults) as proxy:
        page_text = HEAD + PAGES[library].replace("CALLS", CALLS)
        name = f"{library}-{'-'.join(map(str, faults))}.html"
        (folder / name).write_text(page_text.replace("KEY", key).replace("SERVICE", proxy.address))
        context = browser.new_context(user_agent=PERSON)
        page, errors, elsewhere = context.new_page(), [], []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: elsewhere.append(request.url))
        page.goto(f"{origin}/{name}")
        wait_until(lambda: _page_waits(page) and len(proxy.message_ids_of(200)) == 6)
        context.close()
    assert errors == []
    assert all(url.startswith((origin, proxy.address, "data:")) for url in elsewhere), elsewhere
    assert [each for each in proxy.statuses() if each != 200] == faults
    own = OfMessages(store, proxy.message_ids())
    check(own, channel="web", sent_between=(int(began * 1e6), int(time.time() * 1e6)), is_browser=True)
    assert own.n == 3
    _check_alias(store, proxy, is_told=library == "rudder")


def _page_waits(page):
    """Let the browser work; it does only while it is asked for something."""
    page.wait_for_timeout(100)
    return True


def _check_alias(store, proxy, *, is_told):
    """A public key never joins two known contacts, and whoever tries is told; Segment's alias names one user twice."""
    answers = [each["answer"] for each in proxy.seen if b'"alias"' in decoded(each) and each["answered"] == 200]
    assert any("public key" in answer for answer in answers) is is_told
    assert not store.links_between("crm:4711", "crm:4711-b", 2**62)
    assert "crm:4711-b" not in members_of(store, "crm:4711", 2**62, TouchpointRules()).members
