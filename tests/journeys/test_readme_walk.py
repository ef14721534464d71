"""The README's walk with one's own data, typed as it stands there."""

import csv
import json
import os
import random
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
CHANNEL = {"visit": "web", "newsletter_open": "email", "download": "web", "service_call": "phone", "order": "shop"}


def shown(marker: str) -> str:
    found = re.search(rf"^<!-- {marker} -->\n```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no block after <!-- {marker} -->"
    return found[1]


def header() -> list[str]:
    """Columns of the file as the README shows them."""
    found = re.search(r"^```\n(customer,.*)\n", README, re.MULTILINE)
    assert found
    return found[1].split(",")


def write_shop(path: Path) -> None:
    """A year of 150 customers: those who download and call tend to order; one row is broken."""
    rng, start = random.Random(7), datetime(2025, 1, 1)
    rows: list[list[str]] = []
    for customer in range(4711, 4861):
        keen, at = rng.random(), start + timedelta(days=rng.random() * 40)
        while at < start + timedelta(days=365):
            event = rng.choices(list(CHANNEL), [5, 3, 3 * keen, keen, 1.2 * keen * keen])[0]
            amount = f"{50 + 400 * rng.random():.2f}" if event == "order" else ""
            subject = rng.choice(["pumps", "valves", ""])
            rows.append([str(customer), at.isoformat(timespec="seconds"), event, CHANNEL[event], subject, amount])
            at += timedelta(days=rng.expovariate(0.05 + 0.12 * keen))
    rows.append(["4711", "last spring", "visit", "web", "pumps", ""])
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header(), *rows])


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(command: list[str], folder: Path, environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "serve.log").open("wb") as log:
        service = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        yield service
    finally:
        service.terminate()
        service.wait(30)


def asked(curl: str, port: int, service: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Send what the README's curl sends, once the service listens."""
    words = shlex.split(curl)
    url = next(word for word in words if word.startswith("http")).replace(":8000", f":{port}")
    body = words[words.index("-d") + 1].encode()
    for _ in range(600):
        assert service.poll() is None, "the service ended"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=30) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.URLError:
            time.sleep(0.1)
    raise TimeoutError("the service never answered")


def test_the_readme_can_be_typed_as_it_stands(tmp_path: Path) -> None:
    write_shop(tmp_path / "shop.csv")
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("NBA_", "MLFLOW_"))},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    typed, serve = shown("walk: own data").rstrip().rsplit("\n", 1)
    walked = subprocess.run(
        ["sh", "-ec", typed], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert walked.returncode == 0, walked.stdout + walked.stderr
    assert "quarantined 1" in walked.stdout
    assert "AUC" in walked.stdout
    assert "stage" in walked.stdout

    port = free_port()
    with running([*shlex.split(serve), "--port", str(port)], tmp_path / "shop", environ) as service:
        # Beside other tests an answer may be late, which the points table then gives.
        answers = (asked(shown("walk: ask"), port, service) for _ in range(5))
        answer = next(found for found in answers if not found["degraded"])
    assert answer["contact_id"] == "4711"
    assert answer["mode"] in ("learned", "constant", "points")
    assert answer["points"]["total"] == sum(entry["points"] for entry in answer["points"]["log"])
    told = {each["action"] for each in answer["removed"] + answer["recommendations"]}
    assert len(told) == len(answer["removed"]) + len(answer["recommendations"]) == answer["left"]["actions"]
