"""A long read that is killed: the next run goes on, and both together hold everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
import sandboxes
from toolbox import BIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandboxes import Sandbox

pytestmark = pytest.mark.slow

ROWS = 25_000
CODES = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 128 + signal.SIGTERM, None: 0}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of 25,000 accounts."""
    seed = f"accounts={ROWS},users=0,events=0,created=all"
    with sandboxes.sandbox(tmp_path_factory.mktemp("many"), seed=seed) as running:
        yield running


def whole_lines(text: str) -> list[dict[str, Any]]:
    """The messages of all lines that came to their end."""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def start(config: Path, out: Path, log: Path, state: Path | None = None) -> subprocess.Popen[bytes]:
    command = [BIN / "tap-totango", "--config", config]
    command += ["--state", state] if state else []
    with out.open("wb") as stdout, log.open("ab") as stderr:
        return subprocess.Popen(command, stdout=stdout, stderr=stderr)


def last_state(messages: list[dict[str, Any]]) -> dict[str, Any]:
    states = [message["value"] for message in messages if message["type"] == "STATE"]
    return states[-1] if states else {}


def ids(messages: list[dict[str, Any]]) -> set[str]:
    return {one["record"]["account_id"] for one in messages if one["type"] == "RECORD"}


def test_what_was_killed_goes_on(many, config_file, tmp_path) -> None:
    """With one version: a target drops records of any other than the one that is activated."""
    config, log, state = config_file(many.config()), tmp_path / "log", tmp_path / "state.json"
    state.write_text("{}")
    found: set[str] = set()
    versions: set[int] = set()
    for signum, unanswered in ((signal.SIGKILL, 24), (signal.SIGTERM, 8), (None, 0)):
        # A run that is to be struck must not end before that.
        many.chaos(*[f"timeout@accounts:{unanswered}:hang=300"] * bool(unanswered))
        out, calls = tmp_path / "out", len(many.calls("accounts"))
        process = start(config, out, log, state)
        if signum is not None:
            while '"full_read"' not in out.read_text():
                assert process.poll() is None, log.read_text()[-3000:]
                time.sleep(0.005)
            process.send_signal(signum)
        code = process.wait(100)
        assert code == CODES[signum], log.read_text()[-3000:]
        text = out.read_text()
        assert signum == signal.SIGKILL or text.endswith("\n")
        messages = whole_lines(text)
        assert ("ACTIVATE_VERSION" in text) is (signum is None)
        rows = [message for message in messages if message.get("stream") == "accounts"]
        versions |= {message["version"] for message in rows if "version" in message}
        found |= ids(messages)
        state.write_text(json.dumps(last_state(messages)))
    assert found == {row["account_id"] for row in many.dump("accounts")}
    assert len(versions) == 1
    assert len(ids(messages)) < ROWS
    assert len(many.calls("accounts")) - calls < 35
    assert "full_read" not in last_state(messages)["bookmarks"]["accounts"]
    assert "(resumed)" in log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_stop_signal_never_cuts_a_line(service, config_file, tmp_path, unbuffered) -> None:
    """Even when the reader is slow and lines are long: half a message breaks a target."""
    service.load(
        accounts=[
            {"account_id": f"a-{n}", "account_name": "x", "attributes": {"Notes": "y" * 200_000}}
            for n in range(12)
        ]
    )
    command = [BIN / "tap-totango", "--config", config_file(service.config())]
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=env) as process,
    ):
        assert process.stdout
        read = process.stdout.read(100_000)
        time.sleep(0.2)  # the pipe is full by then, and a write waits
        process.terminate()
        time.sleep(0.2)
        read += process.stdout.read()
    assert process.returncode == 128 + signal.SIGTERM
    assert read.endswith(b"\n")
    assert whole_lines(read.decode())
