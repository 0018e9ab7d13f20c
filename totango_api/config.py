"""Declares and checks the settings that both plugins share: how to reach a service."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from totango_api import limits
from totango_api.errors import SettingsError
from totango_api.hosts import AUTO, REGIONS, Hosts, ServiceId, checked_url, hosts_of
from totango_api.plugin_config import setting
from totango_api.redaction import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TIMEOUT: Final = 120
"""Seconds without a byte before a call is given up. Searches of 1,000 wide rows are slow."""

CONNECT_TIMEOUT: Final = 10
DEFAULT_MAX_RETRY_SECONDS: Final = 300

CONNECTION_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "app_token": setting(
        "string",
        "App token",
        "Personal access token: Totango profile, Integration tab. Passed on untouched, but for "
        "surrounding blanks. target-totango makes tracking calls without it, too, but then it does "
        "not know the service's attributes, reads nothing back (canary, verify), and finds no "
        "owners, ids or rows that exist.",
        secret=True,
        writeOnly=True,
    ),
    "region": setting(
        "string",
        "Region",
        "Where the service is hosted; `auto` looks it up from `service_id`.",
        enum=[*REGIONS, AUTO],
        default=REGIONS[0],
    ),
    "service_id": setting(
        "string",
        "Service id",
        "The service: `SP-25001-01`, or the middle number alone where that is enough (everything "
        "but tracking calls).",
    ),
    "api_url": setting(
        "string", "API URL", "Overrides the host of the REST API (gateways, tests, the sandbox)."
    ),
    "tracking_url": setting(
        "string",
        "Tracking URL",
        "Overrides the host of tracking calls (gateways, tests, the sandbox).",
    ),
    "hub_url": setting(
        "string",
        "Integration Hub URL",
        "Overrides the host of the Integration Hub (gateways, tests, the sandbox).",
    ),
    "request_timeout": setting(
        "number",
        "Request timeout",
        "Seconds without a byte from the server before a call is given up.",
        exclusiveMinimum=0,
        default=DEFAULT_TIMEOUT,
    ),
    "max_retry_seconds": setting(
        "number",
        "Longest retry",
        "Seconds for which one call may be retried; also the longest single wait.",
        minimum=0,
        default=DEFAULT_MAX_RETRY_SECONDS,
    ),
    "rate_limit_per_minute": setting(
        "integer",
        "Calls a minute",
        "REST calls a minute. Totango allows 100 for one token over all programs that use it; 0 = "
        "no pacing. Tracking calls are not counted.",
        minimum=0,
        default=limits.CALLS_PER_MINUTE,
    ),
    "user_agent": setting("string", "User agent", "Overrides the User-Agent header."),
}
"""JSON Schema of each shared setting, by name."""


@dataclass(frozen=True)
class Connection:
    """The shared settings, checked.

    Attributes:
        timeout: Seconds without a byte.
        max_retry_seconds: Seconds for which one call may be retried.
        calls_per_minute: Rate limit of REST calls; 0 = no pacing.
    """

    app_token: str | None
    region: str
    service_id: ServiceId | None
    hosts: Hosts
    timeout: float = DEFAULT_TIMEOUT
    max_retry_seconds: float = DEFAULT_MAX_RETRY_SECONDS
    calls_per_minute: int = limits.CALLS_PER_MINUTE
    user_agent: str = "singer-totango"

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, user_agent: str) -> Connection:
        """Check the shared settings of a plugin's configuration.

        The token becomes a registered secret. With region `auto` the hosts are those of the US
        until :func:`totango_api.region.resolved` has asked.

        Raises:
            SettingsError: If one cannot be used.
        """
        token = _stripped(config, "app_token")
        register_secret(token)
        if token and any(ord(character) < 0x20 or ord(character) > 0xFF for character in token):
            msg = "app_token holds a character that cannot travel in a header."
            raise SettingsError(msg, remedy="Copy it again from your Totango profile.")
        region = _stripped(config, "region") or REGIONS[0]
        service = _stripped(config, "service_id")
        service_id = ServiceId.parse(service) if service else None
        if region == AUTO and service_id is None:
            msg = "region is auto, but service_id is not set."
            raise SettingsError(msg, remedy="Set service_id, or region to us or eu.")
        bare = cls(
            app_token=token,
            region=region,
            service_id=service_id,
            hosts=hosts_of(REGIONS[0] if region == AUTO else region),
            timeout=_number(config, "request_timeout", DEFAULT_TIMEOUT),
            max_retry_seconds=_number(config, "max_retry_seconds", DEFAULT_MAX_RETRY_SECONDS),
            calls_per_minute=int(_number(config, "rate_limit_per_minute", limits.CALLS_PER_MINUTE)),
            user_agent=_stripped(config, "user_agent") or user_agent,
        )
        return bare.overridden(config)

    def overridden(self, config: Mapping[str, Any]) -> Connection:
        """Return this connection with the hosts that the user overrides.

        Raises:
            SettingsError: If an override is not a URL that may carry a token.
        """
        named = {"api_url": "api", "tracking_url": "tracking", "hub_url": "hub"}
        urls = {
            field: checked_url(setting, url)
            for setting, field in named.items()
            if (url := _stripped(config, setting))
        }
        return replace(self, hosts=replace(self.hosts, **urls))

    def require_token(self) -> str:
        """Return the token.

        Raises:
            SettingsError: If there is none.
        """
        if not self.app_token:
            msg = "app_token is not set."
            raise SettingsError(
                msg,
                remedy="Create a personal access token in your Totango profile, Integration tab.",
            )
        return self.app_token

    def require_service_id(self) -> ServiceId:
        """Return the service id.

        Raises:
            SettingsError: If there is none.
        """
        if self.service_id is None:
            msg = "service_id is not set."
            raise SettingsError(
                msg, remedy="Copy it from your Totango profile, Integration tab: like SP-25001-01."
            )
        return self.service_id


def _stripped(config: Mapping[str, Any], name: str) -> str | None:
    value = config.get(name)
    return str(value).strip() or None if value is not None else None


def _number(config: Mapping[str, Any], name: str, default: float) -> float:
    value = config.get(name)
    return default if value is None else float(value)
