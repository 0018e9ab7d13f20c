"""What the machine's environment asks of connections, as `requests` understands it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH, select_proxy
from urllib3.util import create_urllib3_context

if TYPE_CHECKING:
    import ssl


def uses_proxy(url: str) -> bool:
    """Tell whether a URL is to be reached through a proxy (HTTPS_PROXY, NO_PROXY, …)."""
    return bool(select_proxy(url, _settings(url)["proxies"]))


def tls_context(url: str) -> ssl.SSLContext:
    """Return how a host has to show who it is (REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, certifi)."""
    verify = _settings(url)["verify"]
    bundle = DEFAULT_CA_BUNDLE_PATH if verify is True else str(verify)
    # Checks certificate and host name, as it is set up for urllib3's own connections.
    context = create_urllib3_context()
    if Path(bundle).is_dir():
        context.load_verify_locations(capath=bundle)
    else:
        context.load_verify_locations(cafile=bundle)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _settings(url: str) -> dict[str, Any]:
    with requests.Session() as session:
        return dict(session.merge_environment_settings(url, {}, None, None, None))
