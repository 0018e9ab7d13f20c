"""The same as tracking.py with no HTTP library at all, to see what a process can do at most.

It takes every answer for a 200 of known length, which no real client may.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import uvloop

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 128
OK = b"HTTP/1.1 200"


class Poster(asyncio.Protocol):
    """A connection: the next body goes out when the answer to the last is there."""

    def __init__(self, head: bytes, bodies: Iterator[bytes]) -> None:
        self._head = head
        self._bodies = bodies
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        """Take an answer: they are small enough to come whole."""
        if data.startswith(OK):
            self._next()
        else:
            self.done.set_exception(RuntimeError(repr(data[:60])))

    def _next(self) -> None:
        body = next(self._bodies, None)
        if body is None:
            self.done.set_result(None)
        else:
            self._transport.write(self._head % len(body) + body)


def main() -> None:
    """Post everything."""
    url, path = sys.argv[1:]
    with Path(path).open("rb") as lines:
        uvloop.run(_posting(urlsplit(url).netloc, (line[:-1] for line in lines)))


async def _posting(place: str, bodies: Iterator[bytes]) -> None:
    head = (
        f"POST /pixel.gif HTTP/1.1\r\nHost: {place}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
    ).encode()
    host, _, port = place.partition(":")
    loop = asyncio.get_running_loop()
    posters = [
        (await loop.create_connection(lambda: Poster(head, bodies), host, int(port)))[1]
        for _ in range(CONNECTIONS)
    ]
    await asyncio.gather(*(poster.done for poster in posters))


if __name__ == "__main__":
    main()
