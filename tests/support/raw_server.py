"""A server that says exactly the bytes it is told to, as no HTTP library would."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator

    Script = Callable[[int, int], Iterable[bytes | float | str]]

CLOSE = "close"
RESET = "reset"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class RawServer:
    """A running server.

    Attributes:
        asked: The number of the connection and the bytes of every request, in order.
        closed: Numbers of the connections that the client has closed.
    """

    url: str
    asked: list[tuple[int, bytes]] = field(default_factory=list)
    closed: set[int] = field(default_factory=set)
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def connections(self) -> list[int]:
        """Which connection each request came over."""
        return [connection for connection, _ in self.asked]


@contextmanager
def speaking(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Serve what a script says.

    Args:
        script: Given the numbers of the connection and of the request on it, both from 0, it
            returns what to send, seconds to wait, or `CLOSE` or `RESET`.
        tls: For https.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    scheme = "https" if tls else "http"
    server = RawServer(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")
    threads: list[threading.Thread] = []
    sockets: list[socket.socket] = []

    def serve(number: int, peer: socket.socket) -> None:
        try:
            with tls.wrap_socket(peer, server_side=True) if tls else peer as connection:
                _converse(number, connection, script, server)
        except OSError:
            pass
        finally:
            server.closed.add(number)

    def accept() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            peer.settimeout(20)
            sockets.append(peer)
            threads.append(threading.Thread(target=serve, args=(len(threads), peer)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield server
    finally:
        server.ending.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for peer in sockets:
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def _converse(number: int, connection: socket.socket, script: Script, server: RawServer) -> None:
    place = 0
    while (request := _request(connection)) is not None:
        server.asked.append((number, request))
        for said in script(number, place):
            if isinstance(said, bytes):
                connection.sendall(said)
            elif isinstance(said, float):
                server.ending.wait(said)
            elif said == RESET:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return
            else:
                return
        place += 1


def _request(connection: socket.socket) -> bytes | None:
    """Read one request; None when there is no more."""
    request = b""
    while b"\r\n\r\n" not in request:
        got = connection.recv(65536)
        if not got:
            return None
        request += got
    head, _, body = request.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
