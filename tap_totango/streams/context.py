"""Holds what the tap hands to its streams."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_totango.profile import UNKNOWN, KnownService
from tap_totango.report import Report
from tap_totango.streams.events_pass import EventsPass
from totango_api.errors import ApiError, AuthenticationError, TotangoError
from totango_api.search import DISCOVERY_SECONDS, Attribute, discover

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from tap_totango.records import MessageWriter
    from tap_totango.schema import KnownColumns, Naming
    from totango_api.command import Part
    from totango_api.http import ApiClient

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StreamContext:
    """What all streams of a run share.

    Attributes:
        client: Calls the service.
        discovery: Which attributes the service has.
        naming: How columns are named.
        known_columns: What is known of the columns of each stream from earlier.
        started_at: When the run started.
        writer: Writes messages.
        write_state: Writes the state as it is now, if it has changed.
        fail: Notes that a stream failed; the others are still read.
        part: Which rows are written; None = all.
        report: Counts what is done.
        known_service: What a profile says of the service.
        events: Reads events once for all streams made of them.
    """

    client: ApiClient
    discovery: Discovery
    naming: Naming
    known_columns: Mapping[str, KnownColumns]
    started_at: datetime
    writer: MessageWriter
    write_state: Callable[[], None]
    fail: Callable[[str, TotangoError], None]
    part: Part | None = None
    report: Report = field(default_factory=Report)
    known_service: KnownService = UNKNOWN
    events: EventsPass = field(default_factory=EventsPass)


class Discovery:
    """The attribute definitions of the service: asked for once, when they are first needed.

    Args:
        client: Calls the service.
        is_enabled: Whether it is asked at all.
        is_promising: Whether it is worth more than one call.
    """

    def __init__(self, client: ApiClient, *, is_enabled: bool, is_promising: bool = True) -> None:
        self._client = client
        self._seconds = DISCOVERY_SECONDS if is_promising else 0.0
        self.is_enabled = is_enabled
        self.error: ApiError | None = None

    def attributes_of(self, stream: str) -> Sequence[Attribute]:
        """Return the attributes of accounts or users; none if the service does not name them.

        Raises:
            AuthenticationError: If the token is not accepted (401).
        """
        return [one for one in self._attributes if one.object == stream]

    @property
    def has_answer(self) -> bool:
        """Whether the service named any attributes."""
        return bool(self._attributes)

    @functools.cached_property
    def _attributes(self) -> Sequence[Attribute]:
        if not self.is_enabled:
            return []
        try:
            found = discover(self._client, seconds=self._seconds)
        except ApiError as error:
            if isinstance(error, AuthenticationError) and not error.is_refusal:
                raise
            self.error = error
        else:
            if not found:
                logger.warning("The service names no attributes at all.")
            return found
        # Its remedy is about the token or the host, and the run goes on with both.
        logger.warning("The attributes could not be discovered. %s", self.error.message)
        return []
