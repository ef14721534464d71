"""The tracking clients, unmodified and with their own settings, each sending some events at an even pace."""

import json
import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.serving.node_packages import HERE

CHROMIUM = os.environ.get("NBA_CHROMIUM", "/usr/bin/chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
EVENTS = {
    "segment-python": "Seen By Segment Python",
    "rudder-python": "Seen By Rudder Python",
    "segment-node": "Seen By Segment Node",
    "rudder-node": "Seen By Rudder Node",
    "segment-browser": "Seen By Segment Browser",
    "rudder-browser": "Seen By Rudder Browser",
}
"""What each client calls what it sends, by which it is known in the store."""

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Pumps</title></head><body>
<script src="/node_modules/LIBRARY"></script>
<script>
  const client = LOADED;
  let n = 0;
  const timer = setInterval(() => {
    client.track("EVENT", {n});
    n += 1;
    if (n === COUNT) clearInterval(timer);
  }, PAUSE);
</script></body></html>
"""
SEGMENT = (
    "@segment/analytics-next/dist/umd/index.js",
    'AnalyticsNext.AnalyticsBrowser.load({writeKey: "KEY", cdnURL: "SERVICE"})',
)
RUDDER = (
    "@rudderstack/analytics-js/dist/npm/legacy/bundled/umd/index.js",
    '(() => {const made = new rudderanalytics.RudderAnalytics(); made.load("KEY", "SERVICE", {configUrl: "SERVICE"});'
    " return made;})()",
)


@dataclass(frozen=True)
class Sending:
    """What the clients are given.

    ``pause`` are seconds between two events. ``over`` is set once everything has arrived: until then pages stay open.
    """

    address: str
    key: str
    public_key: str
    count: int
    pause: float
    packages: Path
    site: tuple[Path, str]
    over: threading.Event


def segment_python(sending: Sending) -> list[object]:
    """Send with segment-analytics-python; its errors."""
    from segment.analytics.client import Client

    errors: list[object] = []
    client = Client(sending.key, host=sending.address, on_error=lambda error, items: errors.append(error))
    return _by_python(client, "segment-python", sending, errors)


def rudder_python(sending: Sending) -> list[object]:
    """Send with rudder-sdk-python; its errors."""
    from rudderstack.analytics.client import Client

    errors: list[object] = []
    client = Client(sending.key, host=sending.address, on_error=lambda error, items: errors.append(error))
    return _by_python(client, "rudder-python", sending, errors)


def _by_python(client: Any, name: str, sending: Sending, errors: list[object]) -> list[object]:
    for n in range(sending.count):
        client.track("crm:4711", EVENTS[name], {"n": n})
        time.sleep(sending.pause)
    client.shutdown()
    return errors


def segment_node(sending: Sending) -> list[object]:
    """Send with @segment/analytics-node; its errors."""
    return _by_node("segment", sending)


def rudder_node(sending: Sending) -> list[object]:
    """Send with @rudderstack/rudder-sdk-node; its errors."""
    return _by_node("rudder", sending)


def _by_node(library: str, sending: Sending) -> list[object]:
    given = [library, sending.address, sending.key, EVENTS[f"{library}-node"], sending.count, sending.pause * 1000]
    done = subprocess.run(
        ["node", HERE / "steady.cjs", *map(str, given)],
        env={**os.environ, "NODE_PATH": str(sending.packages)},
        capture_output=True,
        text=True,
        timeout=sending.count * sending.pause + 240,
    )
    assert done.returncode == 0, done.stderr
    errors: list[object] = json.loads(done.stdout.splitlines()[-1])["errors"]
    return errors


def browsers(sending: Sending) -> list[object]:
    """Send with both libraries for browsers, on a page each; the errors of the pages."""
    from playwright.sync_api import sync_playwright

    folder, origin = sending.site
    errors: list[object] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        pages = []
        for name, (library, loaded) in (("segment-browser", SEGMENT), ("rudder-browser", RUDDER)):
            (folder / f"{name}.html").write_text(_page(library, loaded, name, sending))
            pages.append(browser.new_context().new_page())
            pages[-1].on("pageerror", lambda error: errors.append(str(error)))
            pages[-1].goto(f"{origin}/{name}.html")
        while not sending.over.is_set():
            # A browser works only while it is asked for something.
            for page in pages:
                page.wait_for_timeout(100)
        browser.close()
    return errors


def _page(library: str, loaded: str, name: str, sending: Sending) -> str:
    given = {
        "LIBRARY": library, "LOADED": loaded, "KEY": sending.public_key, "SERVICE": sending.address,
        "EVENT": EVENTS[name], "COUNT": str(sending.count), "PAUSE": str(sending.pause * 1000),
    }  # fmt: skip
    text = PAGE
    for word, value in given.items():
        text = text.replace(word, value)
    return text


SENDERS = (segment_python, rudder_python, segment_node, rudder_node, browsers)
