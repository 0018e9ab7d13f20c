"""Sends a request under the rate limit and returns its response, or raises one of our errors.

Knows no endpoint. Start with `client.py`. `retry.py` decides what is sent again, `headers.py` reads
what the server says of its rate limit, `responses.py` says which error a response is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from totango_api.http.client import FORM, ApiClient, Request
from totango_api.http.environment import ca_bundle, verified_context
from totango_api.http.json_bodies import decode, json_of
from totango_api.http.responses import Response

if TYPE_CHECKING:
    from totango_api.http.async_client import AsyncPoster

__all__ = [
    "FORM",
    "ApiClient",
    "AsyncPoster",
    "Request",
    "Response",
    "ca_bundle",
    "decode",
    "json_of",
    "verified_context",
]


def __getattr__(name: str) -> Any:
    """Import the async client when it is asked for: aiohttp takes 0.1 s, and taps never need it."""
    if name != "AsyncPoster":
        raise AttributeError(name)
    from totango_api.http.async_client import AsyncPoster  # noqa: PLC0415

    return AsyncPoster
