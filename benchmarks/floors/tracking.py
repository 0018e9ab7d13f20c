"""Post ready-made bodies with aiohttp, over 128 kept connections.

``tracking.py URL FILE [--uvloop]``, with a FILE that holds a form body a line.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 128
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


def main() -> None:
    """Post everything."""
    url, path = sys.argv[1:3]
    with Path(path).open("rb") as lines:
        posting = _posting(f"{url}/pixel.gif", (line[:-1] for line in lines))
        if "--uvloop" in sys.argv:
            import uvloop  # noqa: PLC0415 (not everywhere)

            uvloop.run(posting)
        else:
            asyncio.run(posting)


async def _posting(url: str, bodies: Iterator[bytes]) -> None:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector, headers=HEADERS) as session:
        await asyncio.gather(*(_post(session, url, bodies) for _ in range(CONNECTIONS)))


async def _post(session: aiohttp.ClientSession, url: str, bodies: Iterator[bytes]) -> None:
    for body in bodies:
        async with session.post(url, data=body) as answer:
            await answer.read()
            answer.raise_for_status()


if __name__ == "__main__":
    main()
