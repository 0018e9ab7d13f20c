"""Sandboxes for the demo, the tests and the benchmarks: started, asked, changed and stopped."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.request import Request, urlopen

from toolbox import BIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SECONDS_TO_START: Final = 120
SECONDS_TO_STOP: Final = 10
SECONDS_TO_ANSWER: Final = 120

_KEYS: Final = {
    "accounts": (("account_id",), "account_name"),
    "users": (("account_id", "user_id"), "user_name"),
}


@dataclass(frozen=True)
class Sandbox:
    """A running `totango-sandbox serve`, and what can be asked of it from outside."""

    url: str
    token: str
    service_id: str
    pid: int
    log: Path

    def config(self, **more: Any) -> dict[str, Any]:
        """Return the settings with which tap and target reach it, and more."""
        return {
            "app_token": self.token,
            "service_id": self.service_id,
            "api_url": self.url,
            "tracking_url": self.url,
            "hub_url": self.url,
            "rate_limit_per_minute": 0,
            **more,
        }

    def environment(self, *plugins: str, **more: Any) -> dict[str, str]:
        """Return the same as variables of the plugins named, as Meltano reads them."""
        return {
            f"{plugin}_{name}".replace("-", "_").upper(): str(value)
            for plugin in plugins
            for name, value in self.config(**more).items()
        }

    def dump(self, kind: str) -> list[dict[str, Any]]:
        """Return everything it holds of a kind: accounts, users, events, calls and more."""
        lines = self._ask(f"/sandbox/dump?object={kind}").split("\n")
        return [json.loads(line) for line in lines if line]

    def writable(self, kind: str) -> dict[tuple[str, ...], dict[str, Any]]:
        """Return what of its accounts or users can be written by calls: names and attributes."""
        keys, name = _KEYS[kind]
        return {
            tuple(row[key] for key in keys): {name: row[name], **row["attributes"]}
            for row in self.dump(kind)
        }

    def readable(self, kind: str) -> dict[tuple[str, ...], dict[str, Any]]:
        """Return the same as a search shows it, which is the id for a row without a name."""
        keys, name = _KEYS[kind]
        return {
            key: row | {name: row[name] or key[len(keys) - 1]}
            for key, row in self.writable(kind).items()
        }

    def calls(self, *surfaces: str) -> list[dict[str, Any]]:
        """Return the calls on these surfaces since the last reset, oldest first."""
        return [call for call in self.dump("calls") if call["surface"] in surfaces]

    def stats(self) -> dict[str, Any]:
        """Return its counters."""
        answer: dict[str, Any] = json.loads(self._ask("/sandbox/stats"))
        return answer

    def moves(self, *kinds: str) -> list[dict[str, Any]]:
        """Return what moved between search calls (switches `moves_…`), oldest first."""
        return [move for move in self.dump("moves") if move["object"] in kinds]

    def lasting(self, kind: str, before: Sequence[dict[str, Any]]) -> set[tuple[str, ...]]:
        """Return the keys of those rows that were there until the last search call on their object.

        Args:
            kind: accounts, users or events.
            before: what `dump` returned before the first search call.
        """
        keys = _KEYS[kind][0] if kind in _KEYS else ("event_id",)
        names = ("id",) if kind == "events" else keys
        last = self.stats()["searches"][kind]
        gone = {
            tuple(move[key] for key in keys)
            for move in self.moves(kind)
            if move["move"] == "out" and move["after_search"] < last
        }
        return {tuple(row[name] for name in names) for row in before} - gone

    def load(self, **rows: Sequence[dict[str, Any]]) -> None:
        """Put rows in, in the shape in which `dump` returns them."""
        self._ask("/sandbox/load", rows)

    def set(self, **switches: str | int) -> None:
        """Set switches; `totango-sandbox serve --help` lists them."""
        self._ask("/sandbox/set", {name: str(value) for name, value in switches.items()})

    def chaos(self, *rules: str) -> None:
        """Put these faults in the place of the ones in force."""
        self._ask("/sandbox/chaos", {"specs": list(rules)})

    def settle(self) -> None:
        """Make everything visible that was accepted but is seen late."""
        self._ask("/sandbox/settle", {})

    def reset(self) -> None:
        """Forget all rows and calls."""
        self._ask("/sandbox/reset", {})

    def _ask(self, path: str, body: object = None) -> str:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, {"Content-Type": "application/json"})  # noqa: S310 (our own process)
        with urlopen(request, timeout=SECONDS_TO_ANSWER) as answer:  # noqa: S310
            text: str = answer.read().decode()
        return text


@contextmanager
def sandbox(
    home: Path, *arguments: str, seed: str = "none", rate_limit: int = 0, commands: Path = BIN
) -> Iterator[Sandbox]:
    """Start a sandbox, and stop it in the end whatever happens.

    Args:
        home: A folder for its log and ready file.
        arguments: More of the command line of `totango-sandbox serve`.
        seed: Which made-up data it starts with.
        rate_limit: REST calls a minute; 0 = unlimited.
        commands: Where `totango-sandbox` is.

    Raises:
        RuntimeError: If it does not start; the message holds what it said.
    """
    home.mkdir(parents=True, exist_ok=True)
    ready, log = home / "sandbox.json", home / "sandbox.log"
    ready.unlink(missing_ok=True)
    options = ["--port", "0", "--seed", seed, "--rate-limit", str(rate_limit)]
    command = [str(commands / "totango-sandbox"), "serve", *options, "--ready-file", str(ready)]
    with log.open("wb") as output:
        process = subprocess.Popen([*command, *arguments], stdout=output, stderr=output)
    try:
        _wait(process, ready, log)
        said = json.loads(ready.read_text())
        yield Sandbox(said["url"], said["token"], said["service_id"], said["pid"], log)
    except Exception as error:
        if process.poll() is not None:
            # Whatever failed then, this is why.
            error.add_note(f"totango-sandbox had ended by itself, with {process.returncode}.")
        raise
    finally:
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], ready: Path, log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            msg = f"totango-sandbox did not start:\n{log.read_text()[-2000:]}"
            raise RuntimeError(msg)
        time.sleep(0.02)
