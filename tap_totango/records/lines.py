"""RECORD messages of a table, encoded at once.

The SDK encodes message by message, from a dictionary each; these lines are the same to the byte.
"""

from __future__ import annotations

from itertools import repeat, starmap
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.contrib.msgspec import encoder
from singer_sdk.mapper import SameRecordTransform

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from singer_sdk.mapper import StreamMap

    from tap_totango.records.tables import Table


class RecordLines:
    """Encodes the records of one stream.

    Args:
        stream: Its name.
        version: Version of the table; None when messages carry none.
    """

    def __init__(self, stream: str, version: int | None) -> None:
        self._constants: tuple[Any, ...] = ("RECORD", stream)
        self._versions = () if version is None else (version,)
        named = ["type", "stream", "record", *(["version"] * len(self._versions)), "time_extracted"]
        self._message: Callable[..., Any] = msgspec.defstruct(
            "RecordMessage", [(name, Any) for name in named], gc=False
        )
        self._names: tuple[str, ...] = ()
        self._record: Callable[..., Any] = dict

    def of(self, table: Table, extracted_at: datetime) -> bytes:
        """Return the records of a table, a line each.

        Args:
            table: The records.
            extracted_at: When they were read.
        """
        if table.names != self._names:
            self._names, self._record = table.names, _record_of(table.names)
        head, tail = map(repeat, self._constants), map(repeat, (*self._versions, extracted_at))
        records = starmap(self._record, table.tuples())
        return encoder.encode_lines(map(self._message, *head, records, *tail))


def is_identity(stream_maps: Sequence[StreamMap]) -> bool:
    """Tell whether the SDK leaves records as they are: no stream maps, no flattening."""
    return len(stream_maps) == 1 and (
        type(stream_maps[0]) is SameRecordTransform and not stream_maps[0].flattening_enabled
    )


def _record_of(names: tuple[str, ...]) -> Callable[..., Any]:
    """Return what makes a record of its values: one that encodes as an object of these names."""
    fields = [(f"column_{place}", Any) for place in range(len(names))]
    renamed = {field: name for (field, _), name in zip(fields, names, strict=True)}
    try:
        return msgspec.defstruct("Record", fields, rename=renamed, gc=False)
    except ValueError:  # a name that JSON has to escape
        return lambda *values: dict(zip(names, values, strict=True))
