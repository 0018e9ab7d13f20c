"""A server of a few lines, for answers that the sandbox would never give."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Headers = dict[str, str]
Reply = tuple[int, Headers, bytes]


@dataclass(frozen=True)
class Asked:
    """A call that arrived."""

    method: str
    path: str
    headers: Headers
    form: dict[str, str]

    @property
    def query(self) -> dict[str, Any]:
        """The form field `query`, decoded."""
        decoded: dict[str, Any] = json.loads(self.form["query"])
        return decoded


def ok(document: Any, **headers: str) -> Reply:
    """A 200 that holds a document; text and bytes go as they are."""
    body = document.encode() if isinstance(document, str) else document
    body = body if isinstance(body, bytes) else json.dumps(document).encode()
    return 200, {name.replace("_", "-"): value for name, value in headers.items()}, body


def hits(stream: str, rows: Any, total: Any = ...) -> dict[str, Any]:
    """The envelope of a search."""
    body = {"hits": rows} if total is ... else {"hits": rows, "total_hits": total}
    return {"status": "success", "response": {stream: body}}


@dataclass
class Stub:
    """A running server."""

    url: str
    asked: list[Asked] = field(default_factory=list)

    def config(self, **more: Any) -> dict[str, Any]:
        return {
            "app_token": "stub-token",
            "api_url": self.url,
            "rate_limit_per_minute": 0,
            "max_retry_seconds": 0,
            "discover_attributes": False,
            **more,
        }


@contextmanager
def serving(answer: Callable[[Asked], Reply]) -> Iterator[Stub]:
    """Serve what `answer` returns for each call."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            form = {name: values[-1] for name, values in parse_qs(body).items()}
            asked = Asked(self.command, self.path, dict(self.headers), form)
            stub.asked.append(asked)
            status, headers, content = answer(asked)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub = Stub(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
