"""Keeps connections of urllib3, with the environment's proxies and certificates."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy

from totango_api.http.tls import verified_context

if TYPE_CHECKING:
    from collections.abc import Mapping


class Pools:
    """Sends requests over kept connections. Safe to share between threads.

    Follows no redirect, stores no cookie, reads no `.netrc`, and sends nothing twice, not even
    where a kept connection was dropped: see retry.py. A session of requests would have to be told
    all of that, and takes as long for a call as all else that is done for it.

    Args:
        size: Connections kept alive for each host.
        timeout: How long connecting may take, and how long the server may send nothing.
    """

    def __init__(self, size: int, timeout: urllib3.Timeout) -> None:
        self._options: dict[str, Any] = {"maxsize": size, "timeout": timeout, "retries": False}
        self._managers: dict[str, urllib3.PoolManager] = {}
        self._lock = threading.Lock()

    def send(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> urllib3.BaseHTTPResponse:
        """Send a request, and return its response with the body unread.

        Raises:
            HTTPError: If none came, or an OSError or ValueError that urllib3 does not wrap.
            SettingsError: If the environment names certificates that cannot be used.
        """
        host = "/".join(url.split("/", 3)[:3])
        manager = self._managers.get(host)
        if manager is None:
            with self._lock:
                manager = self._managers.get(host) or self._manager_of(host)
                self._managers[host] = manager
        return manager.urlopen(
            method, url, body=body, headers=headers, redirect=False, preload_content=False
        )

    def close(self) -> None:
        """Close every kept connection."""
        for manager in self._managers.values():
            manager.clear()

    def _manager_of(self, host: str) -> urllib3.PoolManager:
        options = dict(self._options)
        if host.startswith("https:"):
            options["ssl_context"] = verified_context()
        proxy = select_proxy(host, get_environ_proxies(host))
        if proxy is None:
            return urllib3.PoolManager(1, **options)
        # With its user and password; also one of SOCKS, where PySocks is installed.
        adapter = HTTPAdapter(1, options.pop("maxsize"))
        address = proxy if "://" in proxy else f"http://{proxy}"
        manager: urllib3.PoolManager = adapter.proxy_manager_for(address, **options)
        return manager
