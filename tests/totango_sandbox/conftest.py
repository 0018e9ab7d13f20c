"""A real sandbox behind a real socket; one per test run, emptied before each test."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMMAND = (sys.executable, "-m", "totango_sandbox")


class Sandbox:
    """A running sandbox and the calls that tests make."""

    def __init__(self, process: subprocess.Popen[str], info: dict[str, Any]) -> None:
        self.process = process
        self.info = info
        self.url: str = info["url"]
        self.token: str = info["token"]
        self.http = requests.Session()

    def post_search(self, what: str, form: dict[str, str] | None = None, **query: Any) -> Any:
        path = {
            "events": "/api/v2/events/search",
            "scroll": "/api/v2/accounts/scan_and_scroll_search_accounts",
            "staff": "/api/v1/search/users/internal",
            "collections": "/api/v1/search/accounts/collections",
        }.get(what, f"/api/v1/search/{what}")
        body = {"query": json.dumps({"terms": [], "fields": [], **query}), **(form or {})}
        return self.http.post(self.url + path, data=body, headers={"app-token": self.token})

    def search(self, what: str, **query: Any) -> dict[str, Any]:
        answer = self.post_search(what, **query)
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "success"
        return answer.json()["response"][what]

    def names(self, what: str, **query: Any) -> list[str]:
        return [hit["name"] for hit in self.search(what, **query)["hits"]]

    def column(self, what: str, field: dict[str, Any], **query: Any) -> list[Any]:
        return [
            hit["selected_fields"][0] for hit in self.search(what, fields=[field], **query)["hits"]
        ]

    def track(self, **params: str) -> requests.Response:
        return self.track_form({"sdr_s": self.info["service_id"], **params})

    def track_form(self, form: dict[str, str]) -> requests.Response:
        answer = self.http.post(self.url + "/pixel.gif", data=form)
        assert (answer.status_code, answer.content[:3]) == (200, b"GIF")
        return answer

    def hub(self, path: str, batch: Any, **headers: str) -> requests.Response:
        known = {
            "authorization": f"app-token {self.token}",
            "service_id": self.info["service_id"].split("-")[1],
        }
        url = f"{self.url}/api/v1/{path}"
        return self.http.post(url, json=batch, headers={**known, **headers})

    def api(self, method: str, path: str, document: Any = None, **params: str) -> requests.Response:
        """Any call with the token; a document goes as JSON."""
        return self.http.request(
            method, self.url + path, json=document, params=params, headers={"app-token": self.token}
        )

    def dump(self, kind: str) -> list[dict[str, Any]]:
        answer = self.http.get(f"{self.url}/sandbox/dump", params={"object": kind})
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.content.decode().split("\n") if line]

    def control(self, name: str, document: Any = None) -> Any:
        answer = self.http.post(f"{self.url}/sandbox/{name}", json=document or {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def set(self, **switches: object) -> None:
        self.control("set", {name: str(value) for name, value in switches.items()})

    def chaos(self, *specs: str) -> None:
        self.control("chaos", {"specs": list(specs)})

    def load(self, **rows: list[dict[str, Any]]) -> None:
        self.control("load", rows)

    def load_accounts(self, count: int, **more: Any) -> None:
        rows = [{"account_id": f"a{at:04}", "account_name": f"Name {at:04}"} for at in range(count)]
        self.load(accounts=[{**row, **more} for row in rows])

    def stats(self) -> dict[str, Any]:
        return self.http.get(f"{self.url}/sandbox/stats").json()


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[Sandbox]:
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--ready-file", str(ready), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    sandbox = None
    try:
        deadline = time.monotonic() + 30
        while not ready.exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        sandbox = Sandbox(process, json.loads(ready.read_text()))
        yield sandbox
    finally:
        if sandbox is not None:
            sandbox.http.close()
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    with started(folder, "--seed", "none", "--rate-limit", "0") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """An empty sandbox without a rate limit, every switch at its default."""
    shared_sandbox.control("reset", {"settings": True})
    return shared_sandbox


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Any]:
    """Starts a sandbox of the test's own: ``with start("--seed", "none") as sandbox``."""
    return lambda *arguments: started(tmp_path, *arguments)


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command to its end."""
    return lambda *arguments: subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=30, check=False
    )
