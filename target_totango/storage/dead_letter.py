"""The rejects file: every row that was not written, whole, with its reasons, ready for replay.

It is a Singer file: `target-totango --config … < rejects.singer` sends its rows again.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec
import simplejson

from target_totango.models import REJECT_FIELD
from totango_api.errors import TotangoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_totango.models import Row, SourceStream, ValidationError

DEFAULT_PATH: Final = "target-totango-rejects.singer"
_PRIVATE: Final = 0o600
"""Rejected rows are personal data."""

_REJECT_SCHEMA: Final = {
    "type": ["object", "null"],
    "description": "Why target-totango did not write this row; ignored when it is sent again.",
    "properties": {
        "reason": {"type": "string"},
        "faults": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "source_stream": {"type": "string"},
        "stream": {"type": "string"},
        "object": {"type": "string"},
        "rejected_at": {"type": "string", "format": "date-time"},
        "superseded": {
            "type": "boolean",
            "description": "Whether later rows made this one outdated: then it is not sent again.",
        },
        "newer": {
            "type": "array",
            "description": "Attributes that later rows have written: these are not sent again.",
            "items": {"type": "string"},
        },
    },
}
_RECORD: Final = b'{"type":"RECORD",'
_LONGEST_INTEGER: Final = 4000
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


class DeadLetterFile:
    """Written from the first rejected row on; an older file of that name is moved aside.

    It is never appended to, since it may be what is being replayed. Used by one thread.

    Args:
        path: Where to.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.rows = 0
        self.moved_to: Path | None = None
        self._file: IO[bytes] | None = None
        self._announced: dict[str, Mapping[str, Any]] = {}
        self._unsynced = False

    def write(self, row: Row, faults: Sequence[ValidationError]) -> None:
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
            file.write(_line(_record_message(row, faults)))
        except OSError as error:
            raise self._failure(error) from error
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
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failure(error) from error
        self._unsynced = False

    def mark(self, marks: Mapping[int, frozenset[str] | None]) -> None:
        """Mark rows that are outdated, all of them or none; nothing is written afterwards.

        Args:
            marks: By the row's number in the file, from 0: the attributes that are outdated, or
                None for the whole row.

        Raises:
            TotangoError: If the file cannot be written.
        """
        self.close()
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}.tmp")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
            with self.path.open("rb") as old, os.fdopen(descriptor, "wb") as new:
                new.writelines(_marked(old, marks))
                new.flush()
                os.fsync(new.fileno())
            beside.replace(self.path)
            _sync_directory(self.path.parent)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise self._failure(error) from error

    def close(self) -> None:
        """Make everything durable and close the file."""
        self.sync()
        if self._file is not None:
            self._file.close()

    def _open(self) -> IO[bytes]:
        if self.path.exists() and self.path.stat().st_size:
            # A rename leaves alone whoever is reading the old file, even us.
            self.moved_to = _free_name(self.path)
            self.path.rename(self.moved_to)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        self._file = os.fdopen(descriptor, "wb", buffering=1 << 16)
        _sync_directory(self.path.parent)
        return self._file

    def _failure(self, error: OSError) -> TotangoError:
        msg = f"The rejects file {self.path} cannot be written: {error.strerror or error}."
        return TotangoError(msg, remedy="Set rejects_path to a place that can be.")


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


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
        why, newer = message["record"][REJECT_FIELD], marks[place]
        if newer is None:
            why["superseded"] = True
        else:
            why["newer"] = sorted(newer.union(why.get("newer", ())))
        yield _line(message)


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) < _LONGEST_INTEGER else Decimal(text)


def _free_name(path: Path) -> Path:
    number = 1
    while (candidate := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    return candidate


def _schema_message(source: SourceStream) -> dict[str, Any]:
    properties = dict(source.schema.get("properties") or {})
    properties[REJECT_FIELD] = _REJECT_SCHEMA
    return {
        "type": "SCHEMA",
        "stream": source.name,
        "schema": {**source.schema, "properties": properties},
        "key_properties": list(source.key_properties),
    }


def _record_message(row: Row, faults: Sequence[ValidationError]) -> dict[str, Any]:
    why: dict[str, Any] = {
        "reason": "; ".join(fault.message for fault in faults),
        "faults": [
            {"field": fault.field, "code": fault.code, "message": fault.message} for fault in faults
        ],
        "source_stream": row.source.name,
        "stream": row.stream,
        "object": row.object,
        "rejected_at": dt.datetime.now(tz=dt.UTC).isoformat().replace("+00:00", "Z"),
    }
    if row.newer:
        why["newer"] = sorted(row.newer)
    record = {**row.message["record"], REJECT_FIELD: why}
    return {"type": "RECORD", **row.message, "record": record}


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
