"""Writes a file of what was sent: each row as it came, and beside it what went out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from target_totango.storage.singer_file import SingerFile

if TYPE_CHECKING:
    from pathlib import Path

    from target_totango.models import Row, WriteRequest


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
        }
        if row.write is not None:
            sent |= _values_of(row.write)
        if row.record_id is not None:
            sent["id"] = row.record_id
        self.write_record(row.source, {**row.message, "_sent": sent})


def _values_of(write: WriteRequest) -> dict[str, Any]:
    """Return ids and values, each as the text that went out."""
    ids = {"account_id": write.account_id, "user_id": write.user_id, **write.parts}
    values = {"account": write.account, "user": write.user, "fields": write.fields}
    return {
        "ids": {name: text for name, text in ids.items() if text is not None},
        "values": {scope: texts for scope, texts in values.items() if texts},
    }
