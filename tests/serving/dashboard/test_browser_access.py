"""Every page as somebody has it who reads it enlarged, in the dark, by keyboard or by ear, in Chromium."""

import re
from typing import Any

import pytest

from serving.dashboard.dashboard import PAGES
from tests.serving.dashboard.browsing import DEVICES, LANGUAGES, sign_in, watched
from tests.serving.node_packages import installed

pytestmark = pytest.mark.slow

_OPEN_ALL = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
_NARROW = "document.documentElement.scrollWidth <= innerWidth + 1"
_FOCUSED = """() => {
  const at = document.activeElement, style = getComputedStyle(at), place = at.getBoundingClientRect();
  document.seen ??= new Map();
  if (!document.seen.has(at)) document.seen.set(at, document.seen.size);
  return {
    number: document.seen.get(at), tag: at.tagName, text: (at.innerText || at.name || '').slice(0, 40),
    is_body: at === document.body, outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    is_seen: place.width > 0 && place.bottom > 0 && place.top < innerHeight && place.right > 0,
  };
}"""
_CUT = """() => {
  // Text beyond the edge, but in what scrolls in itself and what is there for the ear only.
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode, around = text.parentElement;
    if (!text.data.trim() || around.closest('.wide, .hidden, .skip, pre, svg, option, datalist, script')) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const place = range.getBoundingClientRect();
    if (place.width && (place.right > innerWidth + 1 || place.left < -1)) found.push(text.data.trim().slice(0, 60));
    for (let each = around; each !== document.body; each = each.parentElement) {
      if (getComputedStyle(each).overflowX !== 'visible' && each.scrollWidth > each.clientWidth + 1) {
        found.push(`in ${each.tagName}: ${text.data.trim().slice(0, 60)}`);
        break;
      }
    }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """The script that looks for what keeps people out."""
    return (installed(tmp_path_factory.mktemp("packages")) / "axe-core" / "axe.min.js").read_text()


def addresses(page, served):
    """Where there is a page to look at, with a contact and an account that are known."""
    known = {"contact_id": served.contact, "account": served.account}
    found = [f"/contacts?q={served.sought}", "/contacts/nobody"]
    for each in PAGES:
        path = re.sub(r"{(\w+)(:\w+)?}", lambda match: known[match[1]], each.path)
        if each.method != "GET":
            continue
        answer = page.context.request.get(served.address + path)
        if answer.status == 200 and "<html" in answer.text() and "text/html" in answer.headers["content-type"]:
            found.append(path)
    return found


def faults(page, axe, **options):
    """What is serious, critical or moderate: rule, and where."""
    page.evaluate(axe)
    found = page.evaluate("(options) => axe.run(options)", options)["violations"]
    return [
        f"{each['impact']} {each['id']}: {node['target']} {node['html'][:120]}"
        for each in found
        if each["impact"] in ("moderate", "serious", "critical")
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_keeps_anybody_out(shop_pages, chromium, axe, language):
    context = chromium.new_context(locale=LANGUAGES[language], bypass_csp=True)
    page, wrong = context.new_page(), {}

    def look(path):
        page.goto(shop_pages.address + path)
        page.evaluate(_OPEN_ALL)
        for device, size in DEVICES.items():
            page.set_viewport_size(size)
            for scheme, options in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
                page.emulate_media(color_scheme=scheme)
                if found := faults(page, axe, **options):
                    wrong[f"{path} {device} {scheme}"] = found

    look("/sign-in")
    sign_in(page, shop_pages.address, shop_pages.key)
    found = addresses(page, shop_pages)
    assert len(found) >= 14
    for path in found:
        look(path)
    context.close()
    assert wrong == {}


@pytest.mark.parametrize(("width", "text"), [(640, "100%"), (1280, "200%"), (390, "100%"), (320, "100%")])
def test_nothing_is_cut_off_when_it_is_enlarged(shop_pages, chromium, width, text):
    wishes = {"locale": "de-CH", "viewport": {"width": width, "height": 720}}
    context = chromium.new_context(**wishes)
    page, wrong = context.new_page(), {}
    sign_in(page, shop_pages.address, shop_pages.key)
    for path in addresses(page, shop_pages):
        page.goto(shop_pages.address + path)
        page.evaluate(_OPEN_ALL)
        page.evaluate("(size) => { document.documentElement.style.fontSize = size; }", text)
        if not page.evaluate(_NARROW):
            wrong[path] = "scrolls sideways"
        if cut := page.evaluate(_CUT):
            wrong[f"{path} cut"] = cut[:6]
    context.close()
    assert wrong == {}


def tab_to(page, matches, most=120):
    """Press Tab until the focus is where it matches; each place on the way is seen and outlined."""
    for _ in range(most):
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUSED)
        if not at["is_body"]:
            assert at["is_seen"] and at["outline"] >= 2, at
            if page.evaluate(f"document.activeElement.matches({matches!r})"):
                return
    raise AssertionError(f"the keyboard never comes to {matches}")


def test_today_and_a_note_by_keyboard_alone(shop_pages, chromium):
    wishes: dict[str, Any] = {"locale": "en-GB", "viewport": DEVICES["desktop"], "reduced_motion": "reduce"}
    with watched(chromium, shop_pages.address, **wishes) as page:
        page.goto(f"{shop_pages.address}/sign-in?next=/today")
        # The field of the key has the focus from the start.
        page.wait_for_selector("input[name=key]:focus")
        page.keyboard.type(shop_pages.key)
        page.keyboard.press("Enter")
        page.wait_for_selector("ol.work")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        assert page.evaluate(_FOCUSED)["is_seen"]
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"

        tab_to(page, "button[value=done]")
        page.keyboard.press("Enter")
        page.wait_for_selector(".told")
        # Who has told of an item goes on from there, and has heard that it was taken.
        page.wait_for_selector(".told:focus")
        tab_to(page, "button[value=not_reached]")
        assert page.evaluate("document.activeElement.closest('.item').id") == "item-2"
        who = page.input_value("#item-2 input[name=contact]")
        tab_to(page, "summary")
        page.keyboard.press("Enter")
        tab_to(page, "select[name=reason]")
        page.keyboard.press("ArrowDown")
        tab_to(page, "button[value=rejected]")
        page.keyboard.press("Enter")
        # What stands in its place has the focus, and the reason has come into the store.
        page.wait_for_selector("ol.work > li:nth-child(2).told:focus")
        assert shop_pages.told(who)[-1][:2] == ("rejected", "budget")

        page.reload()
        tab_to(page, "nav a[href='/note']")
        page.keyboard.press("Enter")
        page.wait_for_selector("#note")
        tab_to(page, "input[name=name]")
        page.keyboard.type("Karl Keys")
        tab_to(page, "textarea[name=words]")
        page.keyboard.type("wants to hear of pumps")
        tab_to(page, "#note button.main")
        page.keyboard.press("Enter")
        page.wait_for_selector("main .note.good")
        assert "Karl Keys" in page.inner_text("main")


def test_the_keyboard_comes_through_every_page_and_out_again(shop_pages, chromium):
    wishes: dict[str, Any] = {"locale": "de-CH", "viewport": DEVICES["phone"]}
    with watched(chromium, shop_pages.address, **wishes) as page:
        sign_in(page, shop_pages.address, shop_pages.key)
        for path in ("/today", "/note", f"/contacts/{shop_pages.contact}", "/rules", "/first-steps"):
            page.goto(shop_pages.address + path)
            seen = []
            for _ in range(500):
                page.keyboard.press("Tab")
                at = page.evaluate(_FOCUSED)
                assert at["is_body"] or (at["is_seen"] and at["outline"] >= 2), (path, at)
                if at["is_body"] or at["number"] in seen:
                    break
                seen.append(at["number"])
            # It is left at the end, or begins anew at the first; never goes round in a part of the page.
            assert at["is_body"] or at["number"] == seen[0], (path, at)
            assert len(seen) > 8


def test_the_rest_of_the_menu_folds_on_a_phone(shop_pages, chromium):
    with watched(chromium, shop_pages.address, viewport=DEVICES["phone"]) as page:
        sign_in(page, shop_pages.address, shop_pages.key)
        rest = page.locator("nav a[href='/model']")
        assert not rest.is_visible()
        tab_to(page, ".unfold")
        page.keyboard.press("Enter")
        assert rest.is_visible()
        page.keyboard.press("Escape")
        assert not rest.is_visible()
        assert page.evaluate("document.activeElement.matches('.unfold')")
        page.set_viewport_size(DEVICES["desktop"])
        assert rest.is_visible() and not page.locator(".unfold").is_visible()
