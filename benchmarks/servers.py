"""The service that is measured against, started and stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.request import urlopen

from benchmarks.runs import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Server:
    """A running service."""

    url: str

    def config(self, **more: Any) -> dict[str, Any]:
        """Return the settings with which tap and target reach it, without a limit of calls."""
        return {
            "app_token": "token-of-the-benchmarks",
            "service_id": "SP-12345-01",
            "api_url": self.url,
            "tracking_url": self.url,
            "hub_url": self.url,
            "rate_limit_per_minute": 0,
            **more,
        }

    def taken(self) -> dict[str, int]:
        """Return what arrived since the last time, by surface, and begin to count anew."""
        counts: dict[str, int] = json.loads(self._get("/counts"))
        self._get("/forget")
        return counts

    def _get(self, path: str) -> str:
        with urlopen(self.url + path, timeout=60) as answer:  # noqa: S310 (our own process)
            text: str = answer.read().decode()
        return text


@contextmanager
def serving(**options: Any) -> Iterator[Server]:
    """Run a service of its own; the options are those of ``python -m benchmarks.service``."""
    arguments = [
        text for name, value in options.items() for text in (f"--{name}".replace("_", "-"), value)
    ]
    command = [sys.executable, "-m", "benchmarks.service", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        port = process.stdout.readline().decode().strip() if process.stdout else ""
        if not port:
            msg = "the service did not start"
            raise RunError(msg)
        yield Server(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()
