"""A browser on the pages, as somebody has it before them; what it asks for and what it complains of is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

DEVICES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}
LANGUAGES = {"en": "en-GB", "de": "de-CH"}


def sign_in(page: Any, address: str, key: str, next_: str = "/today") -> None:
    """Type the key in and send it."""
    page.goto(f"{address}/sign-in?next={next_}")
    page.fill("input[name=key]", key)
    page.press("input[name=key]", "Enter")
    page.wait_for_selector(".who form")


@contextmanager
def watched(browser: Any, address: str, **wishes: Any) -> Iterator[Any]:
    """A page of a browser that asks nobody else for anything, and whose pages' policy it has nothing to hold against.

    Parameters
    ----------
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

    context.on("request", lambda asked: None if asked.url.startswith(f"{address}/") else foreign.append(asked.url))
    context.on("response", answered)
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
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
