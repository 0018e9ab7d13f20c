"""An HTTP proxy on this machine: forwards requests, and tunnels what is sent to `CONNECT`."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Proxy:
    """A running proxy.

    Attributes:
        asked: The head of every request, as text.
        refusal: Status line with which it refuses every request; empty if it takes them.
    """

    port: int
    asked: list[str] = field(default_factory=list)
    refusal: str = ""

    def url(self, user: str = "") -> str:
        """Return what a variable such as HTTPS_PROXY says."""
        return f"http://{user}{'@' if user else ''}127.0.0.1:{self.port}"


class _Server:
    """The threads and sockets of a proxy."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.proxy = Proxy(self._listener.getsockname()[1])
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        for each in [self._listener, *self._sockets]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in [self._listener, *self._sockets]:
            each.close()

    def _start(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                peer.settimeout(20)
                self._sockets.append(peer)
                self._start(self._serve, peer)

    def _serve(self, peer: socket.socket) -> None:
        with suppress(OSError):
            received = b""
            while b"\r\n\r\n" not in received:
                more = peer.recv(65536)
                if not more:
                    return
                received += more
            self.proxy.asked.append(received.partition(b"\r\n\r\n")[0].decode("latin-1"))
            if self.proxy.refusal:
                head = f"HTTP/1.1 {self.proxy.refusal}\r\nConnection: close\r\n"
                peer.sendall(f"{head}Content-Length: 0\r\n\r\n".encode())
                peer.shutdown(socket.SHUT_RDWR)
                return
            self._forward(peer, received)

    def _forward(self, peer: socket.socket, received: bytes) -> None:
        method, target, _ = received.split(b"\r\n")[0].decode("latin-1").split(" ")
        place = urlsplit(f"//{target}" if method == "CONNECT" else target)
        origin = socket.create_connection((place.hostname, place.port), timeout=20)
        self._sockets.append(origin)
        if method == "CONNECT":
            peer.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            origin.sendall(received)
        self._start(_copy, origin, peer)
        _copy(peer, origin)


@contextmanager
def proxying() -> Iterator[Proxy]:
    """Serve."""
    server = _Server()
    try:
        yield server.proxy
    finally:
        server.close()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
