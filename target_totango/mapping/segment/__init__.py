"""The preset for Segment: turns its calls, or the tables of its warehouse, into rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_totango.mapping.segment.calls import GROUP, TRACK, CallReader
from target_totango.mapping.segment.options import SEGMENT_SETTINGS, SegmentOptions
from target_totango.mapping.segment.rows import GroupMemory, NotWritten, SegmentStream
from totango_api.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from target_totango.mapping.config import MappingConfig
    from target_totango.mapping.known_attributes import KnownAttributes

__all__ = ["SEGMENT_SETTINGS", "NotWritten", "Segment", "SegmentOptions", "SegmentStream"]


class Segment:
    """Finds the streams that hold calls of Segment, or are tables of its warehouse.

    Args:
        known: The service's attributes.
        default: What holds where no mapping says otherwise.
        options: What the settings say of the preset.
        groups: Which group each user was last in, where that is remembered.
    """

    def __init__(
        self,
        known: KnownAttributes,
        default: MappingConfig,
        options: SegmentOptions,
        groups: GroupMemory | None = None,
    ) -> None:
        self._known = known
        self._default = default
        self._options = options
        self._groups = groups
        self._event_streams: dict[str, tuple[str, bool]] = {}

    def stream(
        self, name: str, fields: Collection[str], configs: Sequence[MappingConfig] = ()
    ) -> SegmentStream | None:
        """Return what turns the records of a stream into rows; None if it holds no calls.

        Args:
            name: The stream's name.
            fields: Its columns.
            configs: Its mappings. What they say is added to the preset.

        Raises:
            InputError: If it is a table of which no row could be written, or its events are in
                another table too.
        """
        reader = CallReader(name, fields)
        if not reader.is_calls:
            return None
        missing = reader.missing
        if self._groups is not None and reader.kind != GROUP:
            missing = [column for column in missing if "group_id" not in column]
        if missing:
            msg = f"Stream {name!r} is a table of Segment without {' and without '.join(missing)}."
            raise InputError(msg, remedy="Every call needs an account, and all but groups a user.")
        if reader.kind == TRACK:
            self._check_events(name, reader)
        return SegmentStream(
            name,
            reader,
            configs=[*configs, self._default],
            known=self._known,
            options=self._options,
            groups=self._groups,
        )

    def _check_events(self, name: str, reader: CallReader) -> None:
        """Check that no event is read twice: from its own table and from that of all events.

        Raises:
            InputError: If it is.
        """
        seen = (name, reader.is_event_table)
        other, is_event_table = self._event_streams.setdefault(reader.source, seen)
        if is_event_table != reader.is_event_table:
            msg = f"Streams {other!r} and {name!r} hold the same events of Segment."
            raise InputError(msg, remedy="Select the table of all tracks, or those of each event.")
