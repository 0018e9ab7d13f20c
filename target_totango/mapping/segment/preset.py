"""The preset `segment`: its settings, and which streams hold calls or are tables of a warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from target_totango.mapping.policy import REJECT, SKIP
from target_totango.mapping.segment.calls import GROUP, TRACK, CallReader
from target_totango.mapping.segment.rows import GroupMemory, SegmentStream
from totango_api.errors import InputError
from totango_api.plugin_config import setting

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from target_totango.mapping.config import MappingConfig
    from target_totango.mapping.known_attributes import KnownAttributes

DEFAULT_PLAN: Final = "Free"

SEGMENT_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "segment_default_plan": setting(
        "string",
        "Default plan",
        "Preset segment: plan of accounts that a group call creates without naming one; empty for "
        "none. Needs app_token, which tells new accounts from others.",
        default=DEFAULT_PLAN,
    ),
    "segment_named_pages": setting(
        "boolean",
        "Named pages",
        "Preset segment: whether a page or screen with a name is an activity.",
        default=True,
    ),
    "segment_categorized_pages": setting(
        "boolean",
        "Categorized pages",
        "Preset segment: whether a page or screen that has a category, and no name that counts, is "
        "an activity.",
        default=True,
    ),
    "segment_anonymous": setting(
        "string",
        "Anonymous calls",
        "Preset segment: reject calls without a user, or skip and count them.",
        enum=[REJECT, SKIP],
        default=REJECT,
    ),
    "segment_remember_groups": setting(
        "boolean",
        "Remembered groups",
        "Preset segment: whether a call without a group belongs to the last one that its user was "
        "in: in this run, and with ledger_path in earlier ones. Else it is rejected.",
        default=False,
    ),
}
"""JSON schema of each setting, by its name."""


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """What the settings say of the preset.

    Attributes:
        default_plan: Plan of new accounts whose group call names none; empty for no default.
        named_pages: Whether pages and screens with a name are activities.
        categorized_pages: Whether those with a category, and no name that counts, are.
        skips_anonymous: Whether calls without a user are skipped; else they are rejected.
        remembers_groups: Whether a call without a group belongs to its user's last known one.
    """

    default_plan: str = DEFAULT_PLAN
    named_pages: bool = True
    categorized_pages: bool = True
    skips_anonymous: bool = False
    remembers_groups: bool = False

    @classmethod
    def from_settings(cls, values: Mapping[str, Any]) -> Self:
        """Read the options out of the values of `SEGMENT_SETTINGS`."""
        return cls(
            default_plan=values["segment_default_plan"],
            named_pages=values["segment_named_pages"],
            categorized_pages=values["segment_categorized_pages"],
            skips_anonymous=values["segment_anonymous"] == SKIP,
            remembers_groups=values["segment_remember_groups"],
        )


class Segment:
    """The preset: knows which streams hold calls.

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
