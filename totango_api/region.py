"""Finds out which region a service is in: Totango's own Zendesk app asks `/domains/` for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from totango_api.config import Connection
from totango_api.errors import SettingsError, TotangoError
from totango_api.hosts import AUTO, hosts_of
from totango_api.http import ApiClient, Request, json_of
from totango_api.limits import EU_SITE

if TYPE_CHECKING:
    from collections.abc import Mapping


def connected(
    config: Mapping[str, Any], *, user_agent: str, max_retry_seconds: float | None = None
) -> Connection:
    """Return how to reach the service that settings name: with a token, its region known.

    Args:
        config: The plugin's configuration.
        user_agent: Unless the user sets another.
        max_retry_seconds: How long a call is retried at most; None = as set.

    Raises:
        SettingsError: If a setting cannot be used, or the region not be found out.
    """
    connection = Connection.from_config(config, user_agent=user_agent)
    connection.require_token()
    if max_retry_seconds is not None:
        patience = min(max_retry_seconds, connection.max_retry_seconds)
        connection = replace(connection, max_retry_seconds=patience)
    return resolved(connection, config)


def resolved(connection: Connection, config: Mapping[str, Any]) -> Connection:
    """Return the connection with its region known: one call if it is `auto`, else none.

    Args:
        connection: The shared settings.
        config: The plugin's configuration, whose URL overrides still win.

    Raises:
        SettingsError: If the region cannot be found out.
    """
    if connection.region != AUTO or connection.service_id is None:
        return connection
    with ApiClient(connection) as client:
        region = region_of(client, connection.service_id.number)
    return replace(connection, region=region, hosts=hosts_of(region)).overridden(config)


def region_of(client: ApiClient, number: str) -> str:
    """Return the region of a service: one call.

    Args:
        client: Makes it.
        number: The middle part of the service id.

    Raises:
        SettingsError: If the region cannot be found out.
    """
    query = urlencode({"service_id": number})
    url = f"{client.connection.hosts.api}/domains/?{query}"
    try:
        decoded = client.send(Request("api", "GET", url), json_of)
    except TotangoError as error:
        msg = f"The region of the service could not be looked up: {error}"
        raise SettingsError(msg, remedy="Set region to us or eu.") from None
    site = decoded.get("site") if isinstance(decoded, dict) else None
    if not isinstance(site, str):
        msg = "The region of the service could not be looked up: the response names no site."
        raise SettingsError(msg, remedy="Check service_id, or set region to us or eu.")
    return "eu" if site == EU_SITE else "us"
