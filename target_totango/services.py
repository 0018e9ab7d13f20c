"""The parts of Totango that a run talks to, made when they are first needed."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any

from target_totango.channels import Channel, TrackingChannel
from target_totango.matching import KnownAttributes
from totango_api.attributes import discover
from totango_api.errors import ApiError
from totango_api.region import resolved
from totango_api.tracking import Tracker
from totango_api.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_totango.model import Row
    from target_totango.outcomes import Outcome
    from target_totango.settings import Settings
    from totango_api.connection import Connection

logger = logging.getLogger("target-totango")


class Services:
    """Transport, tracker and attribute definitions of one run.

    Args:
        settings: The target's settings.
        connection: How to reach Totango.
        config: The whole configuration, for the region's lookup.
    """

    def __init__(
        self, settings: Settings, connection: Connection, config: Mapping[str, Any]
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._config = config

    @functools.cached_property
    def transport(self) -> Transport:
        """The one way out; the region is looked up first if it is `auto`."""
        connection = resolved(self._connection, self._config)
        return Transport(connection, pool_size=self._settings.max_in_flight)

    @functools.cached_property
    def known(self) -> KnownAttributes:
        """The service's attributes; the core ones alone when it cannot be asked."""
        if not self._connection.app_token:
            return KnownAttributes.of()
        try:
            return KnownAttributes.of(discover(self.transport))
        except ApiError as error:
            logger.warning("The attributes of the service are not known: %s", error)
            return KnownAttributes.of()

    def channel(self, delivery: str, settle: Callable[[Row, Outcome], None]) -> Channel:
        """Return a new way out."""
        del delivery
        tracker = Tracker(self.transport, token=self._settings.sdr_token)
        return TrackingChannel(tracker, settle, in_flight=self._settings.max_in_flight)

    def usage(self) -> dict[str, dict[str, Any]]:
        """Return calls, retries and failures of each surface that was used."""
        if "transport" not in self.__dict__:
            return {}
        return {
            surface: {
                "calls": usage.calls,
                "retries": usage.retries,
                "failures": dict(usage.failures),
            }
            for surface, usage in self.transport.usage.items()
            if usage.calls
        }

    def close(self) -> None:
        """Close every kept connection."""
        if "transport" in self.__dict__:
            self.transport.close()
