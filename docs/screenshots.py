"""Makes screenshots of every page into docs/img/, of a made-up world or of a folder that can be served.

Without a folder a world is made first (``pictured_world``), which takes some minutes. A folder has what ``nba serve``
needs: nba.toml, a store, and best a trained bundle, scores and counts. It is copied, and the copy is served and thrown
away; what is in the folder stays as it is.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from PIL import Image

from docs import pictured_world

OUT = Path(__file__).parent / "img"
SIZES = {
    "wide": (1280, 900, "light", "en-GB"),
    "dark": (1280, 900, "dark", "en-GB"),
    "phone": (390, 844, "light", "de-CH"),
}
"""Width, height, colours and language of each picture of a page."""
_BESIDE = {
    "sign-in": "/sign-in",
    "contacts": "/contacts?q=Me",
    "note-list": "/note/list",
    "segments": "/segments",
    "classes": "/classes",
}
"""Pages that no menu has, or that show more when something was asked for; by the name of their pictures."""
_COLOURS = 128
_SCOPES = "read,recommend,feedback,ingest,admin"
_PATIENCE = 120.0


@contextmanager
def served(folder: Path, as_of: str | None) -> Iterator[tuple[str, str]]:
    """Serve a copy of a folder; address and key."""
    with tempfile.TemporaryDirectory(prefix="nba-screenshots-") as room:
        world = shutil.copytree(folder, Path(room) / "world")
        nba = [sys.executable, "-m", "nba.cli", "--config", str(world / "nba.toml")]
        made = subprocess.run(
            [*nba, "keys", "add", "ann", "--scopes", _SCOPES], cwd=world, capture_output=True, text=True
        )
        key = next(iter(re.findall(r"nba_\w+", made.stdout + made.stderr)), None)
        if key is None:
            raise SystemExit(f"no key could be made for {folder}: {made.stderr.strip()}")
        log = world / "serve.log"
        with log.open("w") as out:
            moment = () if as_of is None else ("--as-of", as_of)
            child = subprocess.Popen(
                [*nba, "serve", "--port", "0", *moment], cwd=world, stdout=out, stderr=subprocess.STDOUT,
                env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
            )  # fmt: skip
            try:
                yield _address(log, child), key
            finally:
                child.terminate()
                child.wait()


def _address(log: Path, child: subprocess.Popen[bytes]) -> str:
    """Wait for the service to say where it listens, and to be ready."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and child.poll() is None:
        found = re.search(r"Listening on (http://\S+?);", log.read_text())
        if found:
            try:
                with urlopen(f"{found.group(1)}/healthz"):
                    return found.group(1)
            except OSError:
                pass
        time.sleep(0.2)
    raise SystemExit(f"the service did not start:\n{log.read_text()}")


def pictures(address: str, key: str, out: Path, seconds: float) -> list[Path]:
    """Take a picture of each page of the menu in each size; the files."""
    from playwright.sync_api import sync_playwright

    from serving.dashboard.dashboard import PAGES

    paths = {page.path.strip("/"): page.path for page in PAGES if page.title is not None} | _BESIDE
    found = []
    out.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("NBA_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        # What MLflow knows comes some seconds after the start.
        time.sleep(seconds)
        for name, (width, height, colours, language) in SIZES.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=_scheme(colours), locale=language
            )
            page = context.new_page()
            found.append(_taken(page, address + paths["sign-in"], out / f"sign-in-{name}.png"))
            page.fill("input[name=key]", key)
            page.click("button.main")
            for title, path in (paths | _opened(page, address)).items():
                if title != "sign-in":
                    found.append(_taken(page, address + path, out / f"{title}-{name}.png"))
            context.close()
        browser.close()
    return found


def _opened(page: Any, address: str) -> dict[str, str]:
    """Return the pages of the first contact of the list that has an account, and of that account."""
    page.goto(f"{address}/today")
    account = page.locator("main a[href^='/accounts/']").first
    contact = account.locator("xpath=ancestor::li").locator("a[href^='/contacts/']").first
    return {"contact": contact.get_attribute("href"), "account": account.get_attribute("href")}


def _taken(page: Any, address: str, path: Path) -> Path:
    """Take a picture of a page, in few colours: it looks the same, and is a third as large."""
    answer = page.goto(address)
    if answer is None or answer.status != 200:
        raise SystemExit(f"{address} answered {'nothing' if answer is None else answer.status}")
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def _scheme(colours: str) -> Any:
    return colours


def main() -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="where nba.toml and its store lie; default: one is made")
    parser.add_argument("--as-of", metavar="T", help="the moment that pages of the folder show; default: now")
    parser.add_argument("--out", type=Path, default=OUT, help="default: docs/img")
    parser.add_argument("--wait", type=float, default=15.0, metavar="SECONDS", help="before the first; default: 15")
    args = parser.parse_args()
    if args.folder is None:
        with tempfile.TemporaryDirectory(prefix="nba-pictured-") as room:
            pictured_world.make(Path(room))
            return _written(Path(room), pictured_world.AS_OF, args.out, args.wait)
    if not (args.folder / "nba.toml").is_file():
        parser.error(f"{args.folder} has no nba.toml; name a folder that `nba serve` can serve")
    return _written(args.folder, args.as_of, args.out, args.wait)


def _written(folder: Path, as_of: str | None, out: Path, seconds: float) -> int:
    with served(folder, as_of) as (address, key):
        for path in pictures(address, key, out, seconds):
            sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
