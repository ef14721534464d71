"""The steps of a morning at the pages in a browser; what each leaves behind is looked for in the store."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from features.store.published import settings_versions
from features.times import iso
from tests.serving.dashboard.browsed import Served

PATIENCE = 900.0
"""Seconds for a comparison over a month, which gives way to everything else on a busy machine."""


def go(page: Any, path: str) -> None:
    """Follow the menu."""
    link = page.locator(f"nav a[href='{path}']")
    if not link.is_visible():
        page.locator("nav .unfold").click()
    link.click()
    page.wait_for_url(re.compile(path))


def tell(
    page: Any, served: Served, has_scripts: bool, outcome: str, prepare: Callable[[Any], None] | None = None
) -> str:
    """Press a button of the first item that waits; page and store say it of that contact and once."""
    item = page.locator("li.item:not(.told)").first
    who = item.locator(".person a").first.inner_text()
    contact: str = item.locator("input[name=contact]").input_value()
    button = item.locator(f"button[value={outcome}]")
    if not button.is_visible():
        item.locator("details.more summary").click()
    if prepare is not None:
        prepare(item)
    before, told = page.locator(".told").count(), served.told(contact)
    button.click()
    if has_scripts:
        page.locator(".told").nth(before).wait_for()
        assert who in page.locator(".told").nth(before).inner_text()
    else:
        page.wait_for_url(re.compile(rf"said={outcome}"))
        assert page.locator(".note.good[role=status]").count() == 1
    (found,) = served.told(contact)[len(told) :]
    reason = "budget" if outcome == "rejected" else None
    assert found[:2] == (outcome, reason)
    assert (iso(found[2])[:10] if found[2] else None) == (served.later if outcome == "snoozed" else None)
    return contact


def work_off_three(page: Any, served: Served, has_scripts: bool) -> None:
    """Done with one, another later, a third does not want it: three people, three rows, and nothing else."""
    before = served.outcomes()
    people = [
        tell(page, served, has_scripts, "done"),
        tell(page, served, has_scripts, "snoozed", lambda item: item.locator("[name=until]").fill(served.later)),
        tell(page, served, has_scripts, "rejected", lambda item: item.locator("[name=reason]").select_option("budget")),
    ]
    assert len(set(people)) == 3
    assert served.outcomes() == sorted([*before, "done", "snoozed", "rejected"])
    # Who has been worked off is no longer in the line when the list is looked at again.
    page.goto(f"{served.address}/today")
    waiting = page.locator("li.item input[name=contact]").evaluate_all("(all) => all.map((each) => each.value)")
    assert not set(people) & set(waiting)


def read_why(page: Any, served: Served) -> None:
    """Find a contact by its name and read what speaks for what should be done."""
    go(page, "/contacts")
    page.fill("input[name=q]", served.sought)
    page.press("input[name=q]", "Enter")
    page.wait_for_url(re.compile(r"q="))
    page.locator(f"main a[href='/contacts/{served.contact.replace(':', '%3A')}']").first.click()
    page.wait_for_url(re.compile("/contacts/"))
    assert served.sought in page.locator("h1").inner_text()
    assert page.locator("main ul.why li, main .offers li").count() > 0


def sign_out(page: Any, served: Served) -> None:
    """Leave, and find the door closed."""
    page.locator(".who form button").click()
    page.wait_for_url(re.compile("/sign-in"))
    page.goto(f"{served.address}/today")
    assert page.url.startswith(f"{served.address}/sign-in")


def change_look_publish_undo(page: Any, served: Served, changes: Mapping[str, tuple[str, str]], reason: str) -> Any:
    """Change thresholds, see whom it would change, publish it and take it back; how many change, by the way they do.

    Parameters
    ----------
    changes
        Of each key what is in force, and what it is changed to.
    """
    before = settings_versions(served.store)
    go(page, "/rules")
    for key, (now, then) in changes.items():
        assert page.input_value(f"input[name='{key}']") == now
        page.fill(f"input[name='{key}']", then)
    page.locator("form[action='/rules/edit'] button").first.click()
    page.wait_for_selector("#draft")
    changed = see_the_difference(page, served, {key: then for key, (_, then) in changes.items()})
    assert settings_versions(served.store) == before
    page.fill("form[action='/rules/publish'] input[name=reason]", reason)
    page.locator("form[action='/rules/publish'] button").click()
    page.wait_for_selector(".note.good[role=status]")
    (published,) = settings_versions(served.store)[len(before) :]
    assert (published.by, published.reason) == ("ann", reason)
    for key, (_, then) in changes.items():
        assert page.input_value(f"input[name='{key}']") == then
    newest = page.locator(".versions > li").first
    newest.locator("details:has(form) > summary").click()
    newest.locator("form[action='/rules/undo'] button").click()
    page.wait_for_selector(".note.good[role=status]")
    *_, undone = settings_versions(served.store)
    assert undone.undoes == published.number
    for key, (now, _) in changes.items():
        assert page.input_value(f"input[name='{key}']") == now
    return changed


def see_the_difference(page: Any, served: Served, changes: Mapping[str, str]) -> Any:
    """Have the draft compared; the page says of the last month what the command says of it, and that is something."""
    button = page.locator("form[action='/rules/compare'] button")
    if button.count():
        button.click()
        page.wait_for_url(re.compile("/rules"))
    wait_for_comparison(page, served)
    report = served.whatif(changes)
    changed = report["changed"]
    ways = [changed[way] for way in ("gain", "lose", "get_another", "mixed") if changed[way]]
    assert changed["contacts"] == sum(ways) > 0
    shown = [number(text) for text in page.locator("#compared .figure").all_inner_texts()]
    assert shown[: 1 + len(ways)] == [changed["contacts"], *ways]
    moves, *reached = (
        [row.locator("td.n").all_inner_texts() for row in table.locator("tbody tr").all()]
        for table in page.locator("#compared table").all()
    )
    assert [number(row[0]) for row in moves] == [each["contacts"] for each in report["moves"][:12]]
    actions = [each["contacts"] for each in report["actions"].values()]
    counted = [(each["before"], each["after"]) for each in actions if each["before"] or each["after"]]
    assert sorted((number(row[0]), number(row[1])) for row in reached[0]) == sorted(counted)
    assert any(before != after for before, after in counted)
    return changed


def wait_for_comparison(page: Any, served: Served) -> None:
    """Wait for what a draft would change; without scripts the page is loaded anew."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if page.locator("#compared h3").count():
            return
        page.goto(f"{served.address}/rules?again=1")
        page.wait_for_timeout(1000)
    raise AssertionError(page.locator("#draft").inner_text())


def number(text: str) -> int:
    """Read a whole number as it is written in any language."""
    return int(re.sub(r"[^\d\u2212-]", "", text).replace("\u2212", "-"))
