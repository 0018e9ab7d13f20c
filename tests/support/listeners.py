"""Servers of a few lines that keep what they are sent: a webhook, and one that takes e-mails."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Webhook:
    """What a webhook was sent, by path."""

    def __init__(self) -> None:
        self.url = ""
        self.got: list[tuple[str, Any]] = []


@contextmanager
def webhook(status: int = 200) -> Iterator[Webhook]:
    """A webhook that answers with a status, and with a Location where that redirects."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.got.append((self.path, json.loads(body)))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"http://127.0.0.1:{server.server_address[1]}/services/T000/hidden-path"
    with _served(server):
        yield hook


class MailServer:
    """The e-mails that arrived, and who was to get each."""

    def __init__(self) -> None:
        self.address = ""
        self.got: list[tuple[list[str], EmailMessage]] = []


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A server that takes every e-mail, unencrypted."""
    mails = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            to: list[str] = []
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                command = line.strip().upper()
                if command.startswith(b"RCPT"):
                    to.append(line.decode().split("<")[1].split(">")[0])
                if command == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = list(iter(self.rfile.readline, b".\r\n"))
                    message = message_from_bytes(b"".join(lines), policy=policy.default)
                    mails.got.append((to, message))
                if command == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                self.wfile.write(b"250 fine\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    mails.address = f"127.0.0.1:{server.server_address[1]}"
    with _served(server):
        yield mails
