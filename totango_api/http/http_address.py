"""Where a URL leads: what to connect to, and what to ask for there."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from totango_api.http import failures


@dataclass(frozen=True)
class Address:
    """A URL taken apart.

    Attributes:
        url: The URL, normalised as `requests` does.
        host: Name or address to connect to.
        header: What the Host header says.
        target: Path and query.
    """

    url: str
    host: str
    port: int
    tls: bool
    header: str
    target: str

    @classmethod
    def of(cls, url: str) -> Address:
        """Take a URL apart.

        Raises:
            RefusedError: If nothing can be asked there.
        """
        try:
            prepared = requests.Request("GET", url).prepare()
            parts = urlsplit(prepared.url or "")
            port = parts.port
        except ValueError as error:
            raise failures.not_made(url, error) from None
        tls = parts.scheme == "https"
        return cls(
            url=prepared.url or url,
            host=parts.hostname or "",
            port=port or (443 if tls else 80),
            tls=tls,
            header=parts.netloc,
            target=prepared.path_url,
        )
