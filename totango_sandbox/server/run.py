"""Listening, announcing that it listens, writing down what changed, and stopping cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from totango_sandbox.server.app import TRANSPORT, App

if TYPE_CHECKING:
    from collections.abc import Callable

    from totango_sandbox.storage import Store

_FLUSH_SECONDS: Final = 0.05
_BACKLOG: Final = 2048
_GARBAGE_FIRST: Final = 50_000


class _Protocol(HttpToolsProtocol):
    """Lets the application reach the connection, for faults that HTTP has no words for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope[TRANSPORT] = self.transport


class _Server(uvicorn.Server):
    """Says when it listens, and flushes while it runs."""

    def __init__(self, config: uvicorn.Config, store: Store, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._store = store
        self._ready = ready
        self._flushing: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._flushing = asyncio.create_task(self._flush())
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._flushing
        await super().shutdown(sockets)

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            self._store.settle()
            self._store.database.flush()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        OSError: the port is taken, or is not ours to take.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def run(app: App, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT, then leave everything written down."""
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
        backlog=_BACKLOG,
    )
    # uvicorn raises the signal again once it has stopped; by then it has done its work.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: None)
    # Hundreds of thousands of cells hold no cycles: looking for some costs 20 ms a time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_FIRST)
    try:
        _Server(config, app.service.store, ready).run(sockets=[listener])
    finally:
        app.service.store.close()


def write_ready_file(path: Path, document: dict[str, Any]) -> None:
    """Write the file that says it listens, in one piece."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(json.dumps(document) + "\n")
    Path(draft).replace(path)
