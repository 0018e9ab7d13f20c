"""Serve until terminated; the first line of the output is the port."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.service.accounts import Accounts
from benchmarks.service.limit import Limit
from benchmarks.service.protocol import Exchange
from benchmarks.service.surfaces import Surfaces

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

BACKLOG: Final = 1024


def main() -> None:
    """Take the options and serve."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 = any free one")
    parser.add_argument("--accounts", type=int, default=0)
    parser.add_argument("--window", type=int, default=0, help="rows a query reaches; 0 = all")
    parser.add_argument("--page-max", type=int, default=1000, help="most rows of a page")
    parser.add_argument("--limit", type=int, default=0, help="calls a minute; 0 = no limit")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds until an answer")
    parser.add_argument("--record", type=Path, help="file for the bodies that are delivered")
    asked = parser.parse_args()
    accounts = Accounts(asked.accounts, window=asked.window, page_max=asked.page_max)
    with contextlib.ExitStack() as stack:
        record = stack.enter_context(asked.record.open("wb")) if asked.record else None
        surfaces = Surfaces(accounts, Limit(asked.limit), delay=asked.delay, record=record)
        # What is there now stays: a collection that walks over it would show as a slow answer.
        gc.freeze()
        _runner()(_serve(surfaces, asked.port))


def _runner() -> Callable[[Coroutine[None, None, None]], None]:
    """Return what runs a coroutine: uvloop, where there is one."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.run
    return uvloop.run


async def _serve(surfaces: Surfaces, port: int) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(
        lambda: Exchange(surfaces.respond), "127.0.0.1", port, backlog=BACKLOG
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    main()
