"""Just enough of HTTP/1.1: requests with a Content-Length over kept connections."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REASONS: Final = {200: "OK", 202: "Accepted", 400: "Bad Request", 404: "Not Found", 429: "Slow"}
_LENGTH: Final = b"content-length:"
_HEAD_ENDS: Final = b"\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """What goes back, as bytes of the protocol, and how many seconds later."""

    encoded: bytes
    delay: float = 0.0


def encoded(
    status: int,
    body: bytes,
    *,
    content_type: str = "application/json",
    headers: Mapping[str, object] | None = None,
) -> bytes:
    """Return an answer in the form in which it travels."""
    lines = [
        f"HTTP/1.1 {status} {_REASONS[status]}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join(lines).encode() + _HEAD_ENDS + body


class Exchange(asyncio.Protocol):
    """One connection.

    Args:
        respond: Takes a path and a body.
    """

    def __init__(self, respond: Callable[[bytes, bytes], Answer]) -> None:
        self._respond = respond
        self._received = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is there whole."""
        self._received += data
        while (end := self._received.find(_HEAD_ENDS)) >= 0:
            head = self._received[:end]
            start = end + len(_HEAD_ENDS)
            stop = start + _content_length(head)
            if len(self._received) < stop:
                return
            body, self._received = self._received[start:stop], self._received[stop:]
            self._send(self._respond(head.split(b" ", 2)[1], body))

    def _send(self, answer: Answer) -> None:
        if answer.delay:
            self._loop.call_later(answer.delay, self._write, answer.encoded)
        else:
            self._transport.write(answer.encoded)

    def _write(self, content: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(content)


def _content_length(head: bytes) -> int:
    at = head.lower().find(_LENGTH)
    return 0 if at < 0 else int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
