"""What became of a command, however it was run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ran:
    """What became of a command, or of the last one of a pipe."""

    returncode: int
    stdout: str
    stderr: str
    returncodes: tuple[int, ...] = ()

    def messages(self) -> list[dict[str, Any]]:
        """Return the Singer messages on stdout; a line that is none fails the test."""
        messages = [json.loads(line) for line in self.stdout.split("\n") if line]
        assert all("type" in message for message in messages), self.stdout[:2000]
        return messages

    def records(self, stream: str) -> list[dict[str, Any]]:
        """Return the records of one stream on stdout."""
        return [
            message["record"]
            for message in self.messages()
            if message["type"] == "RECORD" and message["stream"] == stream
        ]

    def ok(self) -> Ran:
        """Return this, having made sure that every command ended well."""
        assert not any((self.returncode, *self.returncodes)), self.stderr[-6000:]
        return self
