"""Knows where a service is: regions, hosts, and the id of the service.

Hosts: "Search API", "Totango HTTP API"; the Integration Hub's from public clients.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from totango_api.errors import SettingsError
from totango_api.text import counted

AUTO: Final = "auto"
REGIONS: Final = ("us", "eu")


@dataclass(frozen=True)
class Hosts:
    """The three base URLs of a service, without a trailing slash."""

    api: str
    tracking: str
    hub: str


_HOSTS: Final = {
    "us": Hosts(
        api="https://api.totango.com",
        tracking="https://sdr.totango.com",
        hub="https://int-hub.totango.com",
    ),
    "eu": Hosts(
        api="https://api-eu1.totango.com",
        tracking="https://sdr-eu1.totango.com",
        hub="https://int-hub-eu1.totango.com",
    ),
}

_FULL_SERVICE_ID = re.compile(r"SP-([A-Za-z0-9]+)-[A-Za-z0-9]+")
_SERVICE_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class ServiceId:
    """A service id in either form ("Personal Access Token and Service ID").

    Attributes:
        number: The middle part: what the Integration Hub and the region lookup take.
        full: `SP-<number>-<instance>`: what tracking calls take; None when only the number
            was given.
    """

    number: str
    full: str | None

    @classmethod
    def parse(cls, text: str) -> ServiceId:
        """Read a service id.

        Raises:
            SettingsError: If it has neither form.
        """
        stripped = text.strip()
        if match := _FULL_SERVICE_ID.fullmatch(stripped):
            return cls(number=match.group(1), full=stripped)
        if _SERVICE_NUMBER.fullmatch(stripped):
            return cls(number=stripped, full=None)
        # Without its text: it may be the token, which is copied from the same place.
        length = counted(len(stripped), "character")
        msg = f"service_id, a text of {length}, is not a Totango service id."
        raise SettingsError(
            msg,
            remedy="Copy it from your Totango profile, Integration tab: it looks like SP-25001-01.",
        )

    def require_full(self) -> str:
        """Return the full form.

        Raises:
            SettingsError: If only the number is known.
        """
        if self.full is None:
            msg = f"service_id {self.number!r} is only the middle part of the service id."
            raise SettingsError(
                msg,
                remedy=f"Tracking calls need the whole: set service_id like SP-{self.number}-01.",
            )
        return self.full


def hosts_of(region: str) -> Hosts:
    """Return the hosts of a region.

    Raises:
        SettingsError: If the region is unknown.
    """
    try:
        return _HOSTS[region]
    except KeyError:
        msg = f"region {region!r} is unknown."
        raise SettingsError(msg, remedy="Set region to us, eu or auto.") from None


def checked_url(setting: str, url: str) -> str:
    """Return a base URL without trailing slash, if it is one that may carry a token.

    Args:
        setting: Name of the setting, for the message.
        url: What the user set.

    Raises:
        SettingsError: If it is not http(s), is plain http to another machine, or holds a user,
            a query or a fragment.
    """
    stripped = url.strip().rstrip("/")
    try:
        parts = urlsplit(stripped)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        msg = f"{setting} is not a URL."
        raise SettingsError(msg, remedy="It looks like https://api.totango.com.")
    if parts.username or parts.password or parts.query or parts.fragment:
        msg = f"{setting} holds more than scheme, host, port and path."
        raise SettingsError(msg, remedy="Leave out users, passwords, ? and #.")
    if parts.scheme == "http" and not is_loopback(host):
        msg = f"{setting} is plain http, which would send the token unencrypted."
        raise SettingsError(msg, remedy="Use https; plain http is for loopback hosts only.")
    return stripped


def is_loopback(host: str) -> bool:
    """Return whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
