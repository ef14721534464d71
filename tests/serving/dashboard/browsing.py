"""A browser on the pages, as somebody has it before them; what it asks for and what it complains of is kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = os.environ.get("NBA_CHROMIUM", "/usr/bin/chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DEVICES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}
LANGUAGES = {"en": "en-GB", "de": "de-CH"}


@contextmanager
def browser() -> Iterator[Any]:
    """A browser as it is installed on this machine."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield opened
        opened.close()


def opened_as(chromium: Any, language: str, device: str, has_scripts: bool) -> Callable[[Any], Any]:
    """How somebody opens the pages of a service."""
    wishes: dict[str, Any] = {
        "locale": LANGUAGES[language],
        "viewport": DEVICES[device],
        "java_script_enabled": has_scripts,
    }
    return lambda served: watched(chromium, served.address, **wishes)


def each_way(test: Any) -> Any:
    """Run a test in both languages, on a phone and a desktop, with scripts and without."""
    for mark in (
        pytest.mark.parametrize("language", LANGUAGES),
        pytest.mark.parametrize("device", DEVICES),
        pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no-scripts"]),
    ):
        test = mark(test)
    return test


each_once = pytest.mark.parametrize(
    ("language", "device", "has_scripts"),
    [("en", "phone", True), ("de", "phone", False), ("en", "desktop", False), ("de", "desktop", True)],
)
"""Run a test in half as many ways: each language on each device, half of them without scripts."""


def sign_in(page: Any, address: str, key: str, next_: str = "/today") -> None:
    """Type the key in and send it."""
    page.goto(f"{address}/sign-in?next={next_}")
    page.fill("input[name=key]", key)
    page.press("input[name=key]", "Enter")
    page.wait_for_selector(".who form")


@contextmanager
def watched(browser: Any, address: str, *, may_fail: bool = False, **wishes: Any) -> Iterator[Any]:
    """A page of a browser that asks nobody else for anything, and whose pages' policy it has nothing to hold against.

    Parameters
    ----------
    may_fail
        Whether an answer may be a refusal, or not come at all; a browser complains of either.
    wishes
        Of the browser, such as its language.
    """
    context = browser.new_context(**wishes)
    foreign: list[str] = []
    complaints: list[str] = []
    policies: set[str] = set()

    def answered(response: Any) -> None:
        if response.request.resource_type == "document" and response.status == 200:
            policies.add(response.headers.get("content-security-policy", "none"))

    def complain(said: Any) -> None:
        if said.type in ("error", "warning") and not (may_fail and said.text.startswith("Failed to load resource:")):
            complaints.append(said.text)

    def opened(dialog: Any) -> None:
        complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    context.on("request", lambda asked: None if asked.url.startswith(f"{address}/") else foreign.append(asked.url))
    context.on("response", answered)
    page = context.new_page()
    page.on("dialog", opened)
    page.on("console", complain)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert foreign == []
    assert complaints == []
    assert policies
    for policy in policies:
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
        assert "unsafe" not in policy and "*" not in policy and "data:" not in policy
