"""Sends single calls by an adapter of requests, with the environment's proxies and certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from totango_api.http.tls import ca_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping


class Adapter(HTTPAdapter):
    """Keeps connections. Follows no redirect, stores no cookie, reads no `.netrc`.

    A session would do all of that if it were not told otherwise, and read the environment for every
    call. It does nothing else that is needed here, and takes a quarter of the time of a call.
    """

    def __init__(self, pool_size: int) -> None:
        # Not one retry, not even where a kept connection was dropped: see retry.py.
        super().__init__(4, pool_size, max_retries=0)
        self._environment: dict[str, dict[str, Any]] = {}

    def call(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None,
        headers: Mapping[str, str],
        timeout: tuple[float, float],
    ) -> requests.Response:
        """Send a request, and return its response with the body unread.

        Args:
            method: HTTP method.
            url: Where.
            body: Encoded body, or None.
            headers: All that are sent, but for those that say how.
            timeout: Seconds for the connection, and without a byte.

        Raises:
            RequestException: If no response came.
            SettingsError: If the environment names certificates that do not exist.
        """
        request = requests.PreparedRequest()
        request.prepare(method, url, headers, data=body)
        environment = self._environment_of(url)
        return self.send(request, stream=True, timeout=timeout, **environment)

    def _environment_of(self, url: str) -> dict[str, Any]:
        """Return proxies and certificates for a URL; looked up once for each host."""
        host = urlsplit(url)._replace(path="", query="").geturl()
        found = self._environment.get(host)
        if found is None:
            verify = ca_bundle() if host.startswith("https:") else True
            found = {"proxies": get_environ_proxies(host), "verify": verify}
            self._environment[host] = found
        return found
