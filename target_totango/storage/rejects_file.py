"""Writes files of rows that were not written, with their reasons, ready for replay.

Each is a Singer file: `target-totango --config … < rejects.singer` sends its rows again. The
reasons stand beside the record in its message, so that no stream map, schema or mapping takes them
for data.
"""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any, Final

from target_totango.models import REJECT_FIELD
from target_totango.singer import message_in
from target_totango.storage.private_files import (
    PRIVATE,
    is_same_file,
    sync_folder,
)
from target_totango.storage.singer_file import SingerFile, line_of
from totango_api.command import is_device

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from target_totango.models import Row, ValidationError
    from target_totango.storage.ledger import Ledger

REJECTS: Final = ("rejects", "written")
"""Where a ledger notes that there are rows which later ones may outdate."""

_RECORD: Final = b'{"type":"RECORD",'


class RejectsFile(SingerFile):
    """Rows with their reasons.

    Args:
        path: Where to.
        run_id: What tells this run from others.
        ledger: Knows by the number of this run which rows later ones confirm.
        setting: What says where to.
    """

    def __init__(
        self,
        path: Path,
        run_id: str,
        ledger: Ledger | None = None,
        setting: str = "rejects_path",
    ) -> None:
        super().__init__(path, run_id, setting)
        self._ledger = ledger

    def write(self, row: Row, errors: Sequence[ValidationError]) -> None:
        """Write one row with its reasons.

        Raises:
            TotangoError: If the file cannot be written.
        """
        self.write_record(row.source, {**row.message, REJECT_FIELD: self._why(row, errors)})
        if self._ledger is not None and self.rows == 1:
            self._ledger.note(REJECTS, b"1")

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
        if self._file is None or is_device(self.path):
            return False
        if not is_same_file(self._file.fileno(), self.path):
            return False
        beside = self.path.with_name(f"{self.path.name}.{self._run_id}.tmp")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
            with self.path.open("rb") as old, os.fdopen(descriptor, "wb") as new:
                new.writelines(_marked(old, marks))
                new.flush()
                os.fsync(new.fileno())
            beside.replace(self.path)
            sync_folder(self.path.parent)
            self._file.close()
            self._file = None
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise self.failure(error) from error
        return True

    def _why(self, row: Row, errors: Sequence[ValidationError]) -> dict[str, Any]:
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
            if row.fingerprint is not None:
                why["ledger"]["row"] = list(row.fingerprint)
        return why


def run_of_reject(message: Mapping[str, Any], ledger: Ledger) -> int | None:
    """Return the number of the run that rejected a record; None if this ledger does not know."""
    if REJECT_FIELD not in message:  # which is asked of every row
        return None
    run = _noted(message, ledger).get("run")
    return run if isinstance(run, int) else None


def row_of_reject(message: Mapping[str, Any], ledger: Ledger) -> tuple[str, ...] | None:
    """Return the fingerprint of a rejected record in this ledger; None if it has none."""
    parts = _noted(message, ledger).get("row")
    return tuple(map(str, parts)) if isinstance(parts, list) and parts else None


def _noted(message: Mapping[str, Any], ledger: Ledger) -> Mapping[str, Any]:
    place = reasons_in(message).get("ledger")
    return place if isinstance(place, dict) and place.get("id") == ledger.id else {}


def reasons_in(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return why the record of a message was rejected; empty if it was not."""
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
        message = message_in(line)
        why, newer = message[REJECT_FIELD], marks[place]
        if newer is None:
            why["superseded"] = True
        else:
            why["newer"] = sorted(newer.union(why.get("newer", ())))
        yield line_of(message)
