"""A PostgreSQL of our own: made, started, filled and thrown away within a test session."""

from __future__ import annotations

import getpass
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS: Final = ("initdb", "pg_ctl", "postgres", "psql")
PLACES: Final = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql*/bin",
)
SECONDS: Final = 60
PORTS: Final = 3
OWNER: Final = "singer"


def programs() -> Path | None:
    """Return the folder of an installed server; None if there is none."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    for pattern in PLACES:
        places += sorted(Path("/").glob(pattern[1:]), reverse=True)
    complete = (place for place in places if all((place / name).exists() for name in PROGRAMS))
    return next(complete, None)


@dataclass(frozen=True)
class Postgres:
    """A running server, reachable over loopback only."""

    programs: Path
    port: int
    password: str
    database: str = "postgres"

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return what a query selects."""
        lines = self.sql(f"SELECT row_to_json(found) FROM ({query}) AS found")
        return [json.loads(line) for line in lines.split("\n") if line]

    def sql(self, statements: str) -> str:
        """Execute statements and return what they say; one that fails fails the test."""
        done = subprocess.run(
            [self.programs / "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", *self._where()],
            input=statements,
            env={**os.environ, "PGPASSWORD": self.password, "PGCLIENTENCODING": "UTF8"},
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def config(self, **more: Any) -> dict[str, Any]:
        """Return the settings that taps for PostgreSQL have in common, and more."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": OWNER,
            "password": self.password,
            **more,
        }

    def _where(self) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, "-d", self.database]


@contextmanager
def postgres(place: Path) -> Iterator[Postgres]:
    """Start a new, empty server, and remove every trace of it in the end.

    Args:
        place: Its programs.
    """
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    password = secrets.token_hex(16)
    data, secret = home / "data", home / "password"
    secret.write_text(password)
    for path in (home, secret):
        shutil.chown(path, _user())
    try:
        _run(
            *(place / "initdb", "-D", data, "-U", OWNER, "-A", "scram-sha-256", "-N"),
            *("--pwfile", secret, "--encoding=UTF8", "--locale=C"),
        )
        port = _started(place, home, data)
        try:
            yield Postgres(place, port, password)
        finally:
            _run(place / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _started(place: Path, home: Path, data: Path) -> int:
    """Start the server; return its port. Others may take one that was free a moment ago."""
    for attempt in range(PORTS):
        port = _free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -F"
        try:
            _run(place / "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o", options, "start")
        except AssertionError:
            if attempt == PORTS - 1:
                raise
        else:
            break
    return port


def _user() -> str:
    """Whom the server runs as: it refuses to be root."""
    if os.geteuid() != 0:
        return getpass.getuser()
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _run(*command: str | Path) -> None:
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        entry = pwd.getpwnam(_user())
        identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": ()}
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd="/",
            timeout=SECONDS,
            check=False,
            **identity,
        )
        said.seek(0)
        assert done.returncode == 0, said.read().decode(errors="replace")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
