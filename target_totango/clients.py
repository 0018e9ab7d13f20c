"""Holds the clients of a run, each made when it is first needed."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping import KnownAttributes, read_attributes
from target_totango.models import ACCOUNTS, HUB
from target_totango.objects import STAFF
from target_totango.verify import EngagementVerifier, RowVerifier
from totango_api.errors import ApiError
from totango_api.http import ApiClient
from totango_api.reading import read_staff
from totango_api.region import resolved
from totango_api.search import Lookup, Matcher, Reference, discover, read_references
from totango_api.writing import HubClient, TrackingClient, delete_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_totango.config import Settings
    from totango_api.config import Connection
    from totango_api.writing import Deletion

_ROLES: Final = frozenset({"Success Manager", "Sales Manager"})
_ROLE_TYPES: Final = frozenset({"role", "account_role", "owner", "totango_user"})
"""*Inferred*: no source shows the type of role attributes."""

logger = logging.getLogger("target-totango")


class Clients:
    """Clients and attribute definitions of one run.

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
    def api(self) -> ApiClient:
        """Makes all calls; the region is looked up first if it is `auto`."""
        connection = resolved(self._connection, self._config)
        return ApiClient(connection)

    @functools.cached_property
    def tracking(self) -> TrackingClient:
        """Makes tracking calls, and remembers what answers those that were taken.

        Raises:
            SettingsError: If the connection does not know the full service id.
        """
        settings = self._settings
        return TrackingClient(self.api, token=settings.sdr_token, receipt=settings.tracking_receipt)

    @functools.cached_property
    def hub(self) -> HubClient:
        """Makes calls of the Integration Hub."""
        settings = self._settings
        return HubClient(
            self.api,
            max_rows=settings.hub_batch_size,
            repeats_activities=settings.repeats_activities,
        )

    @functools.cached_property
    def known(self) -> KnownAttributes:
        """The service's attributes, or those of a file; the core ones alone where there is no list.

        Raises:
            SettingsError: If the file cannot be read.
            ApiError: If there is no telling, as in an outage: fields that are not matched would
                become attributes of their own.
        """
        if self._settings.attributes_path is not None:
            return KnownAttributes.of(read_attributes(self._settings.attributes_path))
        if not self.has_token:
            return KnownAttributes.of()
        try:
            return KnownAttributes.of(discover(self.api))
        except ApiError as error:
            if not error.is_refusal:
                raise
            logger.warning("The attributes of the service are not known: %s", error)
            return KnownAttributes.of()

    def unknown_names(self, object_: str, names: Iterable[str]) -> list[str]:
        """Return the attributes that the service does not define; none if it lists no definitions.

        Raises:
            ApiError: If it cannot be asked.
        """
        if object_ not in self.known.listed:
            return []
        known = KnownAttributes.of(discover(self.api))
        return [name for name in names if known.is_new(object_, name)]

    @property
    def has_token(self) -> bool:
        """Whether Totango can be asked anything."""
        return bool(self._connection.app_token)

    def delete_user(self, user: tuple[str, str]) -> Deletion:
        """Delete one user; return the result.

        Raises:
            ApiError: If it was not deleted.
        """
        return delete_user(self.api, *user)

    def references(self, name: str) -> list[Reference]:
        """Return the entries of a reference list.

        Raises:
            ApiError: If it is not answered, or cannot be read.
        """
        return self.staff if name == STAFF else read_references(self.api, name)

    @functools.cached_property
    def staff(self) -> list[Reference]:
        """The people who work in Totango.

        Raises:
            ApiError: If they are not answered.
        """
        return read_staff(self.api)

    def roles(self) -> frozenset[str]:
        """Return the account attributes that hold an owner: by their type, or by name."""
        return frozenset(
            attribute.api_name
            for attribute in self.known.definitions()
            if attribute.object == ACCOUNTS
            and (attribute.declared_type.lower() in _ROLE_TYPES or attribute.api_name in _ROLES)
        )

    @functools.cached_property
    def lookup(self) -> Lookup:
        """Asks what exists."""
        return Lookup(self.api)

    @functools.cached_property
    def verifier(self) -> RowVerifier:
        """Compares what was written with what Totango holds."""
        definitions = self.known.definitions()
        return RowVerifier(
            self.lookup, timeout=self._settings.verify_timeout, definitions=definitions
        )

    @functools.cache  # noqa: B019 (lives as long as the run)
    def matcher(self, stream: str, attribute: str) -> Matcher:
        """Return what finds accounts or users by an attribute."""
        return Matcher(self.api, stream, attribute)

    @functools.cached_property
    def engagement_verifier(self) -> EngagementVerifier:
        """Compares touchpoints and tasks with what was written of them."""
        return EngagementVerifier(self.api, timeout=self._settings.verify_timeout)

    def receiver_of(self, delivery: str) -> tuple[str, ...]:
        """Return what identifies the receiver of a delivery: its name, host, service and token."""
        connection = self.api.connection
        service = connection.service_id
        if delivery == HUB:
            number = service.number if service else ""
            return (delivery, connection.hosts.hub, number, connection.app_token or "")
        whole = service.require_full() if service else ""
        return (delivery, connection.hosts.tracking, whole, self._settings.sdr_token or "")

    @property
    def calls_per_minute(self) -> int:
        """The most calls in a minute; 0 = no limit."""
        return self._connection.calls_per_minute

    def calls_left(self) -> int | None:
        """Return how many calls may still be made in this minute; None if none was made yet."""
        if "api" not in self.__dict__:  # to make it may cost a call: it looks the region up
            return None
        usage = self.api.usage
        is_limited = usage["api"].calls or usage["hub"].calls
        return self.api.rate_limiter.left if is_limited else None

    def usage(self) -> dict[str, dict[str, Any]]:
        """Return calls, retries and failures of each surface that was used."""
        return self.api.usage_report() if "api" in self.__dict__ else {}

    def close(self) -> None:
        """Close every kept connection."""
        if "api" in self.__dict__:
            self.api.close()
