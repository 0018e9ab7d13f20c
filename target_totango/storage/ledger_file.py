"""Opens the ledger's file: for one process, known to be ours, written whole or not at all."""

from __future__ import annotations

import fcntl
import secrets
import sqlite3
import tempfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from target_totango.storage.private_files import PRIVATE, make_private
from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLICATION_ID: Final = 0x544F544C
"""`TOTL` in the file's header: tells our file from any other."""

VERSION: Final = 2
"""Of the tables below and what they hold; raised with every change."""

SALT_BYTES: Final = 32

_SCHEMA: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE confirmed (key BLOB PRIMARY KEY, digest BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE activities (fingerprint BLOB PRIMARY KEY, state INTEGER NOT NULL) WITHOUT ROWID",
)
_OTHER_FILE: Final = "Set ledger_path to another file."
_START_AGAIN: Final = (
    "Move the file away to start a new one: rows are then sent again, and activities of an "
    "interrupted run may be counted twice."
)


def open_ledger(path: Path, service: str) -> tuple[sqlite3.Connection, bytes, int]:
    """Open a ledger's file, or make one.

    Args:
        path: The file.
        service: Its service.

    Returns:
        The database, locked for this process alone, the file's salt, and the number of this run.

    Raises:
        SettingsError: If the file is in use, damaged, not ours, of another service, or written
            by another version.
    """
    _create(path)
    with explaining_errors(path):
        database = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        with explaining_errors(path):
            return database, *_lock_and_check(database, path, service)
    except BaseException:
        database.close()
        raise


@contextmanager
def transaction(database: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Commit everything that the body writes, or nothing of it.

    Raises:
        SettingsError: If the file cannot be written.
    """
    with explaining_errors(path):
        database.execute("BEGIN IMMEDIATE")
        try:
            yield
            database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise


@contextmanager
def explaining_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite into settings errors with a remedy.

    Raises:
        SettingsError: For any failure of SQLite.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        is_locked = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
        if is_locked or error.sqlite_errorcode == sqlite3.SQLITE_IOERR_LOCK:
            _check_locks(path)
        if is_locked:
            msg = f"The ledger {path} is in use by another run."
            raise SettingsError(msg, remedy="Wait for it to end, or set ledger_path.") from None
        msg = f"The ledger {path} cannot be used: {error}."
        raise SettingsError(msg, remedy="Check the disk and ledger_path.") from None
    except sqlite3.DatabaseError as error:
        msg = f"The ledger {path} is damaged or is no ledger: {error}."
        raise SettingsError(msg, remedy=f"{_OTHER_FILE} {_START_AGAIN}") from None


def _check_locks(path: Path) -> None:
    """Check that files of a folder can be locked: SQLite takes any failure to lock for a lock.

    Raises:
        SettingsError: If they cannot.
    """
    try:
        with tempfile.TemporaryFile(dir=path.parent) as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        msg = f"The ledger {path} cannot be locked where it is: {error.strerror}."
        remedy = (
            "Set ledger_path to a disk of this machine: folders of a network may have no locks."
        )
        raise SettingsError(msg, remedy=remedy) from None


def _create(path: Path) -> None:
    """Make the file if it is not there: nobody but its owner may read it.

    SQLite gives the write-ahead log the same mode. A file that is there is not even opened:
    closing it would drop the locks that another ledger of this process holds on it.
    """
    try:
        if not path.exists():
            make_private(path)
    except OSError as error:
        msg = f"The ledger {path} cannot be opened: {error.strerror}."
        raise SettingsError(msg, remedy="Set ledger_path to a file that can be written.") from None


def _lock_and_check(database: sqlite3.Connection, path: Path, service: str) -> tuple[bytes, int]:
    """Lock the file for this process, and check or create its tables."""
    # Until it is known to be ours nothing may be changed, not even the journal.
    tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    ours = database.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    if tables and not ours:
        msg = f"{path} is a database, but no ledger."
        raise SettingsError(msg, remedy=_OTHER_FILE)
    path.chmod(PRIVATE)
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    # In exclusive mode the lock that this takes is kept until the file is closed.
    with transaction(database, path):
        if not tables:
            _set_up(database, service)
        return _salt(database, path, service), _next_run(database)


def _set_up(database: sqlite3.Connection, service: str) -> None:
    for statement in _SCHEMA:
        database.execute(statement)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {VERSION}")
    values = [("service", service), ("salt", secrets.token_bytes(SALT_BYTES))]
    database.executemany("INSERT INTO meta VALUES (?, ?)", values)


def _salt(database: sqlite3.Connection, path: Path, service: str) -> bytes:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        msg = f"The ledger {path} has format {version}; this version knows {VERSION}."
        remedy = f"Use the newer version. {_START_AGAIN}" if version > VERSION else _START_AGAIN
        raise SettingsError(msg, remedy=remedy)
    meta = dict(database.execute("SELECT name, value FROM meta"))
    if not isinstance(meta.get("salt"), bytes) or len(meta["salt"]) != SALT_BYTES:
        msg = f"The ledger {path} is damaged: it holds no salt."
        raise SettingsError(msg, remedy=_START_AGAIN)
    if meta.get("service") != service:
        msg = f"The ledger {path} belongs to service {meta.get('service')}, not to {service}."
        raise SettingsError(msg, remedy=_OTHER_FILE)
    salt: bytes = meta["salt"]
    return salt


def _next_run(database: sqlite3.Connection) -> int:
    """Return the number of this run: one more than that of the last one."""
    row = database.execute("SELECT value FROM meta WHERE name = 'runs'").fetchone()
    run = int(row[0]) + 1 if row else 1
    database.execute("INSERT OR REPLACE INTO meta VALUES ('runs', ?)", (run,))
    return run
