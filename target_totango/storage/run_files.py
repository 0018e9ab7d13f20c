"""Opens the files of a run together, makes them durable together, closes them together."""

from __future__ import annotations

import datetime as dt
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from target_totango.storage.known_users import KnownGroups, KnownUsers
from target_totango.storage.ledger import Ledger
from target_totango.storage.rejects_file import RejectsFile
from target_totango.storage.run_store import RunStore
from target_totango.storage.singer_file import SentFile
from totango_api.command import checked_paths
from totango_api.report import ReportFiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_totango.models import Row

DATABASES: Final = frozenset({"ledger_path"})


class RunFiles:
    """Everything that a run writes to disk.

    Args:
        paths: Where to, by setting.
        service: Number of the service that the ledger is about.
        is_dry: Whether nothing but the report is written.
        keeps_users: Whether it is remembered which users streams hold.
        keeps_groups: Whether it is remembered which group each user was last in; without a ledger,
            for this run.

    Attributes:
        rejects: Rows that were not written; None in a dry run.
        skipped: Rows that a mode or setting kept from being sent, where they are wanted.
        sent: Rows that were written, where they are wanted.
        ledger: What earlier runs had confirmed, where that is kept.
        known_users: Which users streams held, where that is kept.
        known_groups: Which group each user was last in, where that is remembered.
        store: What this run has seen.
        report: Where the report goes.

    Raises:
        SettingsError: If a path cannot be used.
    """

    def __init__(
        self,
        paths: Mapping[str, str | None],
        *,
        service: str,
        is_dry: bool,
        keeps_users: bool,
        keeps_groups: bool,
    ) -> None:
        checked = checked_paths(paths, databases=DATABASES)
        run_id = f"{dt.datetime.now(tz=dt.UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}"
        self.report = ReportFiles.of(checked)
        self.store = RunStore()
        self.rejects: RejectsFile | None = None
        self.skipped: RejectsFile | None = None
        self.sent: SentFile | None = None
        self.ledger: Ledger | None = None
        self.known_users: KnownUsers | None = None
        ledger = None if is_dry else checked["ledger_path"]
        self.known_groups: KnownGroups | None = None
        if keeps_groups:
            self.known_groups = KnownGroups(Path(f"{ledger}.groups") if ledger else None)
        if is_dry:
            return
        if ledger is not None:
            self.ledger = Ledger(ledger, service=service)
            if keeps_users:
                self.known_users = KnownUsers(Path(f"{ledger}.users"))
        if rejects := checked["rejects_path"]:
            self.rejects = RejectsFile(rejects, run_id, self.ledger)
        if skipped := checked["skipped_path"]:
            self.skipped = RejectsFile(skipped, run_id, self.ledger, "skipped_path")
        if sent := checked["sent_path"]:
            self.sent = SentFile(sent, run_id)

    def prepare(self, rows: Sequence[Row]) -> None:
        """Make durable what the ledger has to know before calls go out; in any thread.

        Rows that go out together share a commit: each costs the disk a few milliseconds.
        """
        if self.ledger is None:
            return
        if fingerprints := [row.fingerprint for row in rows if row.fingerprint is not None]:
            self.ledger.begin(*fingerprints)
        elif any(row.forgotten for row in rows):
            self.ledger.flush()

    def make_durable(self) -> None:
        """Make everything written so far survive a crash.

        Raises:
            TotangoError: If a file cannot be written.
        """
        for file in (self.rejects, self.skipped, self.sent):
            if file is not None:
                file.sync()
        if self.ledger is not None:
            self.ledger.flush()

    def close(self) -> None:
        """Make everything durable, and let other runs have the files.

        Raises:
            TotangoError: If a file cannot be written; the others are closed nevertheless.
        """
        with ExitStack() as stack:
            databases = (self.store, self.ledger, self.known_users, self.known_groups)
            for file in (*databases, self.sent, self.skipped, self.rejects):
                if file is not None:
                    stack.callback(file.close)
