"""What hostile names, topics and properties do in a browser that runs scripts: nothing, they are read as text."""

import re
from urllib.parse import quote

import pytest

from features.rows.row_types import SettingsVersion
from features.store.published import publish_settings
from features.store.store import Store
from features.times import DAY, iso
from nba.privacy.tokens import token_for
from serving.dashboard.dashboard import PAGES
from tests.serving.dashboard.browsed import served
from tests.serving.dashboard.browsing import DEVICES, sign_in, watched
from tests.serving.dashboard.written import Written
from tests.serving.dashboard.xss import STRINGS

pytestmark = pytest.mark.slow

_FOREIGN = """(ours) => {
  // Elements that no template of ours makes, and whatever of any element would run or lead elsewhere.
  const found = [];
  for (const each of document.querySelectorAll('*')) {
    const name = each.localName, say = (what) => found.push(`${what}: ${each.outerHTML.slice(0, 120)}`);
    if (!ours.includes(name)) say('element');
    if (name === 'script' && !each.getAttribute('src')?.startsWith('/assets/')) say('script');
    for (const { name: attribute, value } of each.attributes) {
      if (/^(on|style$|srcdoc$|formaction$|data-hx|hx-(on|vals|vars|headers|ext))/i.test(attribute)) say('attribute');
      const leads = /^(href|src|action|hx-get|hx-post|poster|data|background)$|:href$/.test(attribute);
      if (leads && !/^(#|\\/(?!\\/)|https?:|mailto:|tel:)/.test(value)) say('address');
      if (leads && name !== 'a' && !/^(#|\\/(?!\\/))/.test(value)) say('address elsewhere');
    }
  }
  return found;
}"""
_OPEN_ALL = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
_TOUCH_ALL = """() => {
  // Whatever waits for a pointer or the focus would begin now.
  for (const each of document.querySelectorAll('main *')) {
    for (const event of ['mouseover', 'mouseenter', 'focus', 'toggle']) each.dispatchEvent(new Event(event));
  }
}"""
_VIOLATED = "addEventListener('securitypolicyviolation', (event) => violated(event.blockedURI + ' ' + event.sample))"


def ours():
    """Every element that stands in a template or is drawn."""
    from importlib.resources import files

    at = files("serving.dashboard")
    texts = [each.read_text() for each in at.joinpath("templates").iterdir() if each.name.endswith(".html")]
    texts.append(at.joinpath("charts.py").read_text())
    return sorted(
        {name for text in texts for name in re.findall(r"<([a-z][a-z0-9]*)", text)} | {"html", "head", "body"}
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A service full of hostile texts, and what it is full of."""
    written = Written(tmp_path_factory.mktemp("hostile"), list(STRINGS))
    written.run(written.live)
    folder = written.settings.folder
    with Store.open(f"sqlite:///{folder}/nba.db") as store, store.writing() as writing:
        for i, text in enumerate(STRINGS[::7]):
            row = SettingsVersion(i + 1, written.now - DAY + i, text, text, {"actions.sales_call.cost": 18.0 + i})
            assert publish_settings(writing, row)
    with served(folder, iso(written.now + 1_000_000), "crm:0", STRINGS[0], "acc000") as found:
        yield found, written


class Looked:
    """A page of a browser that is looked over wherever it goes."""

    def __init__(self, page, address, known):
        self.page, self.address, self.known, self.seen = page, address, known, 0
        self.violations: list[str] = []
        page.expose_function("violated", lambda what: self.violations.append(what))
        page.add_init_script(_VIOLATED)

    def at(self, path):
        """Open a page and look it over."""
        self.page.goto(self.address + path, wait_until="load")
        self.over(path)

    def over(self, what):
        """Open and touch whatever is there, and find nothing that is not ours."""
        self.page.evaluate(_OPEN_ALL)
        self.page.evaluate(_TOUCH_ALL)
        assert self.page.evaluate(_FOREIGN, self.known) == [], what
        assert self.violations == [], what
        self.seen += 1

    def read(self, selector):
        """Every text of some elements, as it is read."""
        return {" ".join(text.split()) for text in self.page.locator(selector).all_text_contents()}


@pytest.fixture
def looked(hostile, chromium):
    """Signed in; at the end it has asked nobody else for anything, and neither scripts nor the policy complained."""
    found, _ = hostile
    with watched(chromium, found.address, may_fail=True, locale="en-GB", viewport=DEVICES["desktop"]) as page:
        over = Looked(page, found.address, ours())
        sign_in(page, found.address, found.key)
        yield over


def plain(texts):
    return {" ".join(text.split()) for text in texts}


def test_every_page_in_both_languages(looked):
    paths = sorted({each.path for each in PAGES if each.method == "GET" and "{" not in each.path})
    for language in ("en", "de"):
        looked.page.goto(f"{looked.address}/language/{language}?next=/today")
        for path in paths:
            answer = looked.page.context.request.get(looked.address + path)
            if "text/html" in answer.headers["content-type"] and "<html" in answer.text():
                looked.at(path)
    assert looked.seen >= 2 * 14


def test_today_and_the_accounts_to_their_ends(looked, hostile):
    _, written = hostile
    for begin, selector, least in (("/today", ".person", 150), ("/accounts", "main a", 180)):
        path, read = begin, set()
        while path:
            looked.at(path)
            read |= looked.read(selector)
            further = looked.page.locator("a[rel=next]")
            path = further.first.get_attribute("href") or "" if further.count() else ""
        together = "\n".join(read)
        assert sum(" ".join(text.split()) in together for text in written.said) >= least, begin


def test_each_contact_each_company_and_each_visitor(looked, hostile):
    _, written = hostile
    for i, text in enumerate(written.said):
        looked.at(f"/contacts/crm%3A{i}")
        assert looked.read("h1") == plain([text])
        if i % 8 == 0:
            looked.at(f"/contacts/{quote(f'web:{i:03}{text}', safe='')}")
            looked.at(f"/note?contact=crm%3A{i}&said={quote(text, safe='')}")
            looked.at(f"/contacts?q={quote(text, safe='')}")
            looked.at(f"/today?owner={quote(text, safe='')}&partner={quote(text, safe='')}")
        if i < 24:
            looked.at(f"/accounts/acc{i:03}")


def test_what_a_contact_is_shown_about_itself(hostile, chromium):
    """That page has a policy of its own, which lets nothing run at all, and its style stands in it."""
    found, written = hostile
    context = chromium.new_context()
    page, asked, said = context.new_page(), [], []
    context.on("request", lambda request: asked.append(request.url))

    def opened(dialog):
        said.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", opened)
    page.on("pageerror", lambda error: said.append(str(error)))
    known = [*ours(), "style"]
    for i in written.busy:
        answer = page.goto(f"{found.address}/me/{token_for(written.service.secret, f'crm:{i}', 2**60)}")
        assert answer.status == 200 and "script-src" not in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        page.evaluate(_TOUCH_ALL)
        assert page.evaluate(_FOREIGN, known) == []
        assert page.locator("style").count() == 1
        assert " ".join(written.said[i].split()) in " ".join(page.locator("body").text_content().split())
    context.close()
    assert said == [] and {url.startswith(f"{found.address}/") for url in asked} == {True}


def test_what_scripts_write_into_a_page(looked, hostile):
    """Parts that come later, suggestions while somebody types, and notes that wait on the phone."""
    _, written = hostile
    page = looked.page
    for text in written.said[::12]:
        looked.at("/today")
        name = " ".join(page.locator("li.item:not(.told) .person a").first.text_content().split())
        page.locator("li.item:not(.told) button[value=not_reached]").first.click()
        page.wait_for_selector(".told")
        looked.over("told")
        assert name in " ".join(page.locator(".told").first.text_content().split())

        looked.at("/note")
        with page.expect_response(re.compile("/note/people")):
            page.fill("input[name=q]", text)
        page.wait_for_timeout(100)
        looked.over("suggestions")
        page.fill("#note input[name=name]", text)
        page.fill("#note textarea[name=words]", text)
        page.context.set_offline(True)
        page.click("#note button.main")
        page.wait_for_selector("#waiting p")
        looked.over("a note that waits")
        page.context.set_offline(False)
        page.reload()
        page.wait_for_selector("#waiting", state="hidden")
        looked.over("sent")


def test_a_list_is_shown_before_it_is_stored_and_stored(looked, hostile):
    _, written = hostile
    looked.at("/note/list")
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": written.list_of_people()}
    looked.page.set_input_files("input[name=file]", file)
    looked.page.click("button.main")
    looked.page.wait_for_selector("textarea[name=list]", state="attached")
    looked.over("preview")
    assert len(looked.read("td") & plain(written.said)) > 30
    looked.page.click("button.main")
    looked.page.wait_for_selector("main .note.good")
    looked.over("stored")
