"""Writes files of Singer messages: read by their owner only, and piped in again."""

from __future__ import annotations

import datetime as dt
import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import simplejson

from target_totango.storage.private_files import free_name, open_locked, sync_folder, with_part
from totango_api.command import is_device
from totango_api.errors import TotangoError
from totango_api.text import rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import RawIOBase
    from pathlib import Path

    from target_totango.models import Row, SourceStream, WriteRequest

_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


class SingerFile:
    """Written from the first row on; an older file of that name is moved aside.

    It is never appended to, since it may be what is being read. A file that another run writes
    is left alone: then this one gets the run in its name. Used by one thread.

    Args:
        path: Where to.
        run_id: What tells this run from others.
        setting: What says where to.

    Attributes:
        path: The file, once there is one.
        rows: How many rows it holds.
        moved_to: Where the older file is now.
    """

    def __init__(self, path: Path, run_id: str, setting: str) -> None:
        self.path = path
        self.rows = 0
        self.moved_to: Path | None = None
        self._run_id = run_id
        self._setting = setting
        self._file: RawIOBase | None = None
        self._announced: dict[str, Mapping[str, Any]] = {}
        self._unsynced = False
        self._size = 0

    def write_record(self, source: SourceStream, message: Mapping[str, Any]) -> None:
        """Write a RECORD message, after the SCHEMA of its stream.

        Raises:
            TotangoError: If the file cannot be written.
        """
        try:
            file = self._file or self._open()
            if self._announced.get(source.name) is not source.schema:
                self._size += _write_whole(file, line_of(_schema_message(source)))
                self._announced[source.name] = source.schema
            self._size += _write_whole(file, line_of({"type": "RECORD", **message}))
        except OSError as error:
            raise self.failure(error) from error
        self.rows += 1
        self._unsynced = True

    def sync(self) -> None:
        """Make everything written so far survive a crash.

        Raises:
            TotangoError: If the file cannot be written, or somebody removed or emptied it.
        """
        if self._file is None or is_device(self.path):
            return
        try:
            if self._unsynced:
                os.fsync(self._file.fileno())
            found = os.fstat(self._file.fileno())
        except OSError as error:
            raise self.failure(error) from error
        self._unsynced = False
        if not found.st_nlink or found.st_size < self._size:
            msg = f"The file {self.path} was removed or emptied with {rows(self.rows)} in it."
            raise TotangoError(msg, remedy="Leave it alone until the run ends, and run again.")

    def close(self) -> None:
        """Make everything durable, and let other runs have the file.

        Raises:
            TotangoError: If the file cannot be written.
        """
        if self._file is None:
            return
        try:
            self.sync()
        finally:
            file, self._file = self._file, None
            with suppress(OSError):  # what cannot be written was said by the line above
                file.close()

    def _open(self) -> RawIOBase:
        if is_device(self.path):
            self._file = self.path.open("wb", buffering=0)
            return self._file
        if self.path.exists() and not self.path.is_file():
            raise OSError(errno.EEXIST, "something has its name that is no file")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._opened(self.path) or self._opened(with_part(self.path, self._run_id))
        if self._file is None:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
        sync_folder(self.path.parent)
        return self._file

    def _opened(self, path: Path) -> RawIOBase | None:
        """Open a file that is locked for this run; None if another run has it."""
        if (older := open_locked(path, os.O_RDONLY)) is not None:
            if os.fstat(older).st_size:
                # A rename does not disturb a reader of the old file, not even us.
                self.moved_to = free_name(path, os.fstat(older).st_mtime)
                path.rename(self.moved_to)
            else:
                path.unlink()
            os.close(older)
        elif path.exists():
            return None
        descriptor = open_locked(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
        if descriptor is None:
            return None
        self.path = path
        return os.fdopen(descriptor, "wb", buffering=0)

    def failure(self, error: OSError) -> TotangoError:
        """Return why the file cannot be written."""
        msg = f"The file {self.path} cannot be written: {error.strerror or error}."
        return TotangoError(msg, remedy=f"Set {self._setting} to a place that can be.")


class SentFile(SingerFile):
    """Rows that Totango took, in the order of its answers.

    Args:
        path: Where to.
        run_id: What tells this run from others.
    """

    def __init__(self, path: Path, run_id: str) -> None:
        super().__init__(path, run_id, "sent_path")

    def write(self, row: Row, *, what: str = "written") -> None:
        """Write one row, with what went out.

        Args:
            row: The row.
            what: What was done: `written` or `deleted`.

        Raises:
            TotangoError: If the file cannot be written.
        """
        sent: dict[str, Any] = {
            "what": what,
            "at": dt.datetime.now(tz=dt.UTC).isoformat().replace("+00:00", "Z"),
            "stream": row.stream,
            "object": row.object,
            **_values_of(row.request),
        }
        if row.engagement_id is not None:
            sent["id"] = row.engagement_id
        self.write_record(row.source, {**row.message, "_sent": sent})


def _values_of(write: WriteRequest) -> dict[str, Any]:
    """Return ids and values as they were sent."""
    values = {"account": write.account, "user": write.user, "fields": write.fields}
    return {
        "ids": write.ids,
        "values": {scope: texts for scope, texts in values.items() if texts},
    }


def _write_whole(file: RawIOBase, line: bytes) -> int:
    """Write a line, or nothing of it: what a full disk leaves has to be read again.

    Returns:
        How many bytes it has.

    Raises:
        OSError: If it cannot be written.
    """
    written = file.write(line) or 0
    try:
        while written < len(line):
            written += file.write(line[written:]) or 0
    except OSError:
        if file.seekable():
            file.seek(-written, os.SEEK_CUR)
            file.truncate()
        raise
    return written


def _schema_message(source: SourceStream) -> dict[str, Any]:
    return {
        "type": "SCHEMA",
        "stream": source.name,
        "schema": source.schema,
        "key_properties": list(source.key_properties),
    }


def line_of(message: Mapping[str, Any]) -> bytes:
    """Encode a message as it came, valid JSON or not.

    NaN and the infinities stay what they were, since as texts a replay would write them.
    """
    try:
        return _encoder.encode(message) + b"\n"
    except UnicodeEncodeError:
        # Half a surrogate pair survives as its escape only.
        text = simplejson.dumps(
            message, use_decimal=True, allow_nan=True, default=str, separators=(",", ":")
        )
        return text.encode() + b"\n"
