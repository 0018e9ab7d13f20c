"""Files of rows that were not written, whole, with their reasons, ready for replay.

Each is a Singer file: `target-totango --config … < rejects.singer` sends its rows again. The
reasons stand beside the record in its message, so that no stream map, schema or mapping takes them
for data.
"""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
from contextlib import suppress
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec
import simplejson

from target_totango.models import REJECT_FIELD
from target_totango.storage.private_files import (
    PRIVATE,
    free_name,
    is_at,
    locked,
    named,
    sync_directory,
)
from totango_api.errors import TotangoError
from totango_api.output_paths import is_device

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from target_totango.models import Row, SourceStream, ValidationError
    from target_totango.storage.ledger import Ledger

REJECTS: Final = ("rejects", "written")
"""Where a ledger notes that there are rows which later ones may outdate."""

_RECORD: Final = b'{"type":"RECORD",'
_LONGEST_INTEGER: Final = 4000
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


class DeadLetterFile:
    """Written from the first row on; an older file of that name is moved aside.

    It is never appended to, since it may be what is being replayed. A file that another run writes
    is left alone: then this one gets the run in its name. Used by one thread.

    Args:
        path: Where to.
        run_id: What tells this run from others.
        ledger: Knows by the number of this run which rows later ones confirm.

    Attributes:
        path: The file, once there is one.
        rows: How many rows it holds.
        moved_to: Where the older file is now.
    """

    def __init__(self, path: Path, run_id: str, ledger: Ledger | None = None) -> None:
        self.path = path
        self._ledger = ledger
        self.rows = 0
        self.moved_to: Path | None = None
        self._run_id = run_id
        self._file: IO[bytes] | None = None
        self._announced: dict[str, Mapping[str, Any]] = {}
        self._unsynced = False

    def write(self, row: Row, errors: Sequence[ValidationError]) -> None:
        """Write one row with its reasons.

        Raises:
            TotangoError: If the file cannot be written.
        """
        try:
            file = self._file or self._open()
            source = row.source
            if self._announced.get(source.name) is not source.schema:
                file.write(_line(_schema_message(source)))
                self._announced[source.name] = source.schema
            file.write(_line(self._record_message(row, errors)))
        except OSError as error:
            raise self._failure(error) from error
        if self._ledger is not None and not self.rows:
            self._ledger.note(REJECTS, b"1")
        self.rows += 1
        self._unsynced = True

    def sync(self) -> None:
        """Make everything written so far survive a crash.

        Raises:
            TotangoError: If the file cannot be written.
        """
        if self._file is None or not self._unsynced:
            return
        try:
            self._file.flush()
            if not is_device(self.path):
                os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failure(error) from error
        self._unsynced = False

    def mark(self, marks: Mapping[int, frozenset[str] | None]) -> bool:
        """Mark rows that are outdated, all of them or none; nothing is written afterwards.

        Args:
            marks: By the row's number in the file, from 0: the attributes that are outdated, or
                None for the whole row.

        Returns:
            Whether they are marked: not in a device, nor in a file that is no longer there.

        Raises:
            TotangoError: If the file cannot be written.
        """
        self.sync()
        if self._file is None or is_device(self.path) or not is_at(self._file.fileno(), self.path):
            return False
        beside = self.path.with_name(f"{self.path.name}.{self._run_id}.tmp")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
            with self.path.open("rb") as old, os.fdopen(descriptor, "wb") as new:
                new.writelines(_marked(old, marks))
                new.flush()
                os.fsync(new.fileno())
            beside.replace(self.path)
            sync_directory(self.path.parent)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise self._failure(error) from error
        return True

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

    def _open(self) -> IO[bytes]:
        if is_device(self.path):
            self._file = self.path.open("wb")
            return self._file
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._opened(self.path) or self._opened(named(self.path, self._run_id))
        if self._file is None:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
        sync_directory(self.path.parent)
        return self._file

    def _opened(self, path: Path) -> IO[bytes] | None:
        """Open a file that is locked for this run; None if another run has it."""
        if (older := locked(path, os.O_RDONLY)) is not None:
            if os.fstat(older).st_size:
                # A rename leaves alone whoever is reading the old file, even us.
                self.moved_to = free_name(path, os.fstat(older).st_mtime)
                path.rename(self.moved_to)
            else:
                path.unlink()
            os.close(older)
        elif path.exists():
            return None
        descriptor = locked(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        if descriptor is None:
            return None
        self.path = path
        return os.fdopen(descriptor, "wb", buffering=1 << 16)

    def _record_message(self, row: Row, errors: Sequence[ValidationError]) -> dict[str, Any]:
        why: dict[str, Any] = {
            "id": f"{self._run_id}-{self.rows + 1}",
            "reason": "; ".join(error.message for error in errors),
            "faults": [
                {"field": error.field, "code": error.code, "message": error.message}
                for error in errors
            ],
            "source_stream": row.source.name,
            "stream": row.stream,
            "object": row.object,
            "rejected_at": dt.datetime.now(tz=dt.UTC).isoformat().replace("+00:00", "Z"),
        }
        if row.newer:
            why["newer"] = sorted(row.newer)
        if self._ledger is not None:
            run = run_of_reject(row.message, self._ledger) or self._ledger.run
            why["ledger"] = {"id": self._ledger.id, "run": run}
        return {"type": "RECORD", **row.message, REJECT_FIELD: why}

    def _failure(self, error: OSError) -> TotangoError:
        msg = f"The rejects file {self.path} cannot be written: {error.strerror or error}."
        return TotangoError(msg, remedy="Set rejects_path to a place that can be.")


def run_of_reject(message: Mapping[str, Any], ledger: Ledger) -> int | None:
    """Return the number of the run that rejected a record; None if this ledger does not know."""
    place = reasons_in(message).get("ledger")
    if not isinstance(place, dict) or place.get("id") != ledger.id:
        return None
    run = place.get("run")
    return run if isinstance(run, int) else None


def reasons_in(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return why the record of a message was rejected; nothing if it was not."""
    reasons = message.get(REJECT_FIELD)
    return reasons if isinstance(reasons, dict) else {}


def _marked(lines: Iterable[bytes], marks: Mapping[int, frozenset[str] | None]) -> Iterator[bytes]:
    place = -1
    for line in lines:
        if not line.startswith(_RECORD):
            yield line
            continue
        place += 1
        if place not in marks:
            yield line
            continue
        # Decimals keep the digits of numbers, and json takes half surrogate pairs.
        message = json.loads(line, parse_float=Decimal, parse_constant=Decimal, parse_int=_integer)
        why, newer = message[REJECT_FIELD], marks[place]
        if newer is None:
            why["superseded"] = True
        else:
            why["newer"] = sorted(newer.union(why.get("newer", ())))
        yield _line(message)


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) < _LONGEST_INTEGER else Decimal(text)


def _schema_message(source: SourceStream) -> dict[str, Any]:
    return {
        "type": "SCHEMA",
        "stream": source.name,
        "schema": source.schema,
        "key_properties": list(source.key_properties),
    }


def _line(message: Mapping[str, Any]) -> bytes:
    """Encode a message as it came, be it JSON or not.

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
