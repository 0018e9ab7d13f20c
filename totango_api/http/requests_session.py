"""Makes sessions of requests, with the environment's proxies and certificates."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from totango_api.http.tls import ca_bundle


class Session(requests.Session):
    """Keeps connections. Follows no redirect, stores no cookie, reads no `.netrc`.

    With `trust_env` requests would send passwords of a `.netrc` file along, and read the
    environment for every call: proxies and certificates are passed with each request instead.
    """

    def __init__(self, pool_size: int) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.clear()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._environment: dict[str, dict[str, Any]] = {}
        for scheme in ("http://", "https://"):
            # Not one retry, not even where a kept connection was dropped: see retry.py.
            self.mount(scheme, HTTPAdapter(4, pool_size, max_retries=0))

    def environment_of(self, url: str) -> dict[str, Any]:
        """Return proxies and certificates for a URL; looked up once for each host."""
        host = urlsplit(url)._replace(path="", query="").geturl()
        found = self._environment.get(host)
        if found is None:
            verify = ca_bundle() if host.startswith("https:") else True
            found = {"proxies": get_environ_proxies(host), "verify": verify}
            self._environment[host] = found
        return found

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return none: a redirect would carry the token along."""
        del resp
        return None
