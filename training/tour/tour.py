"""The demo, step by step and in plain words."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from features.loading.loading import load_files
from features.store.store import Store
from features.times import iso
from nba.output import Output
from nba.settings import Settings, load_settings
from training.journey import write_tables
from training.report import readable
from training.retrain import train
from training.service_child import ServiceChild
from training.tour.tour_contacts import chosen_contacts, shown_answer


class Tour:
    """Load, learn, serve, ask; each step says what it does.

    Parameters
    ----------
    config
        The demo's ``nba.toml``.
    now
        Microseconds.
    """

    def __init__(self, config: Path, out: Output, now: int, environ: Mapping[str, str]) -> None:
        self.config = config
        self.out = out
        self.now = now
        self.environ = environ
        self.settings: Settings = load_settings(config, environ)
        self._step = 0

    def run(self, *, once: bool, port: int | None) -> int:
        """Walk the whole way; without ``once`` the service is left running until Ctrl-C."""
        started = time.monotonic()
        self._say("Real data: The Complete Journey, a year of 2,469 households' baskets and coupon campaigns.")
        self._load()
        self._learn()
        end = self._data_end()
        self._say(f"Serve it. The data end on {iso(end)[:10]}, so the service's clock starts there instead of today.")
        with ServiceChild(self.config, end, port, self.environ) as service:
            self._ask(service, end)
            self.out.say(f"\nThe whole demo took {time.monotonic() - started:.0f} s.")
            if not once:
                self._leave_running(service, end)
        return 0

    def _say(self, words: str) -> None:
        self._step += 1
        self.out.say(f"\n{self._step}. {words}")

    def _load(self) -> None:
        tables = write_tables(self.config.parent / "data")
        self._say("Load it, as `nba load TABLE FILE` does: baskets, mailings and redemptions become touchpoints.")
        with Store.open(self.settings.store.url) as store:
            for table, path in tables.items():
                loaded = load_files(
                    store,
                    table,
                    [path],
                    now_us=self.now,
                    rules=self.settings.touchpoints,
                    progress=self.out.progress,
                )
                self.out.say(
                    f"   {table}: {loaded.read:,} read, {loaded.stored:,} stored, "
                    f"{loaded.duplicate:,} already there, {loaded.quarantined:,} in quarantine"
                )

    def _learn(self) -> None:
        self._say("Learn, as `nba train run` does. The test lies later in time and is used to choose nothing.")
        trained = train(self.settings, self.now, say=lambda words: self.out.say(f"   {words}"))
        self.out.result("")
        self.out.result(readable(trained.report))
        self.out.result(
            "\nThe campaigns were targeted, not drawn by chance: what follows are responses to coupons, not effects. "
            "\nCampaigns 15 and 20-23 end after the data and are censored; 24-26 began before them and have no history."
        )
        self.out.say(
            f"\n   The run, its metrics, plots and version {trained.version} of the model "
            f"{self.settings.mlflow.model!r} are in {self.settings.mlflow.tracking_uri}"
        )

    def _data_end(self) -> int:
        with Store.open(self.settings.store.url) as store:
            return (store.last_touchpoint_at(self.now) or self.now) + 1_000_000

    def _ask(self, service: ServiceChild, end: int) -> None:
        self.out.say(f"   {service.address} is ready.")
        self._say("Ask what to do next for five households: POST /v1/recommend.")
        with Store.open(self.settings.store.url) as store:
            contacts = chosen_contacts(store, self.settings, end)
        for contact, why in contacts:
            answer = service.post("/v1/recommend", {"contact": contact, "explain": True})
            self.out.result(shown_answer(answer, why))
        self.out.result(
            "\nMode points: the points table chose what stands first, and what else it calls for follows in its order. "
            "\nOther answers come from exploring: each is drawn with the probability it says."
        )

    def _leave_running(self, service: ServiceChild, end: int) -> None:
        folder = self.config.parent
        self.out.say(
            f"\nThe service goes on at {service.address} until Ctrl-C. Open it in a browser, or try:\n"
            f'  curl -s {service.address}/v1/recommend -d \'{{"contact": "household:1", "explain": true}}\'\n'
            f"  curl -s {service.address}/v1/contacts/household:1\n"
            f"  curl -s {service.address}/v1/model\n"
            f"and in another terminal, in {folder}:\n"
            f"  nba recommend household:1 --as-of {iso(end)} --explain\n"
            f"  nba score --as-of {iso(end)} --out scores.parquet\n"
            f"  mlflow ui --backend-store-uri {self.settings.mlflow.tracking_uri}"
        )
        try:
            service.wait()
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            self.out.say("ended")
