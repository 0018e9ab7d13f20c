"""Reads proxies and trusted certificates from the environment; by default those of certifi."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Final

from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy

from totango_api.errors import SettingsError

VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Environment variables that name trusted certificates; the first one that is set counts."""


def ca_bundle() -> str:
    """Return the file or folder of trusted certificates.

    Raises:
        SettingsError: If the environment names one that does not exist.
    """
    for variable in VARIABLES:
        path = os.environ.get(variable)
        if not path:
            continue
        if not Path(path).exists():
            msg = f"The environment variable {variable} names {path}, which does not exist."
            raise SettingsError(msg, remedy="Correct it, or unset it.")
        return path
    return DEFAULT_CA_BUNDLE_PATH


def verified_context() -> ssl.SSLContext:
    """Return a context that verifies certificate and host name, with TLS 1.2 or newer.

    Raises:
        SettingsError: If the environment names certificates that cannot be used.
    """
    bundle = ca_bundle()
    folder = bundle if Path(bundle).is_dir() else None
    try:
        context = ssl.create_default_context(cafile=None if folder else bundle, capath=folder)
    except OSError as error:
        msg = f"{bundle} holds no certificates that can be used ({type(error).__name__})."
        raise SettingsError(msg, remedy=f"Check the first that is set of {VARIABLES}.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def tls_context() -> ssl.SSLContext:
    """Return such a context for connections of HTTP/1.1.

    Raises:
        SettingsError: If the environment names certificates that cannot be used.
    """
    context = verified_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def proxy_of(url: str) -> str | None:
    """Return the proxy that the environment names for a URL (HTTPS_PROXY, NO_PROXY, …).

    Raises:
        SettingsError: If it is of a kind that cannot be used.
    """
    proxy: str | None = select_proxy(url, get_environ_proxies(url))
    if proxy is None:
        return None
    scheme, separator, _ = proxy.partition("://")
    if not separator:
        return f"http://{proxy}"
    if scheme not in {"http", "https"}:
        msg = f"The environment names a {scheme} proxy, which tracking calls cannot use."
        raise SettingsError(msg, remedy="Set HTTPS_PROXY to an HTTP proxy, or use delivery: hub.")
    return proxy
