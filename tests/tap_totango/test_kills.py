"""A long read that is killed: the next run goes on, and both together hold everything."""

from __future__ import annotations

import json
import os
import random
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


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of 25,000 accounts that takes its time."""
    seed = f"accounts={ROWS},users=0,events=0,created=all"
    with sandboxes.sandbox(tmp_path_factory.mktemp("many"), seed=seed) as running:
        running.chaos("slow=0.03@accounts")
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


@pytest.mark.parametrize(
    ("signum", "seed"), [(signal.SIGKILL, 1), (signal.SIGTERM, 2)], ids=["kill", "term"]
)
def test_what_was_killed_goes_on(many, config_file, tmp_path, signum: int, seed: int) -> None:
    chance = random.Random(seed)
    config, log, state = config_file(many.config()), tmp_path / "log", tmp_path / "state.json"
    state.write_text("{}")
    found: set[str] = set()
    plans = versions = 0
    for number in range(2):
        calls = many.stats()["calls_total"]
        out = tmp_path / f"out-{number}"
        process = start(config, out, log, state)
        after = chance.randrange(4, 14)
        while many.stats()["calls_total"] - calls < after and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signum)
        code = process.wait(30)
        text = out.read_text()
        messages = whole_lines(text)
        assert not any(message["type"] == "ACTIVATE_VERSION" for message in messages)
        if signum == signal.SIGTERM:
            assert code not in (0, None)
            assert text == "" or text.endswith("\n")
        else:
            assert code == -signal.SIGKILL
        found |= ids(messages)
        if reached := last_state(messages):
            state.write_text(json.dumps(reached))
            plans += "full_read" in reached["bookmarks"].get("accounts", {})
    out = tmp_path / "out-last"
    process = start(config, out, log, state)
    assert process.wait(100) == 0, log.read_text()[-3000:]
    messages = whole_lines(out.read_text())
    versions = [one["version"] for one in messages if one["type"] == "ACTIVATE_VERSION"]
    found |= ids(messages)
    assert found == {row["account_id"] for row in many.dump("accounts")}
    assert versions
    assert "full_read" not in last_state(messages)["bookmarks"]["accounts"]
    assert "Traceback" not in log.read_text()
    if plans:
        assert "(resumed)" in log.read_text()


def test_records_before_and_after_an_interruption_have_one_version(
    many, config_file, tmp_path
) -> None:
    """Or a target would drop the first half when the second one is activated."""
    config, log, out = config_file(many.config()), tmp_path / "log", tmp_path / "out"
    process = start(config, out, log)
    while '"full_read"' not in out.read_text() and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    process.wait()
    before = whole_lines(out.read_text())
    state = tmp_path / "state.json"
    state.write_text(json.dumps(last_state(before)))
    calls = len(many.calls("accounts"))
    process = start(config, out, log, state)
    assert process.wait(100) == 0
    after = whole_lines(out.read_text())
    versions = {
        one["version"]
        for one in (*before, *after)
        if one["type"] in {"RECORD", "ACTIVATE_VERSION"} and one["stream"] == "accounts"
    }
    assert len(versions) == 1
    assert ids(before) | ids(after) == {row["account_id"] for row in many.dump("accounts")}
    assert len(ids(after)) < ROWS
    assert len(many.calls("accounts")) - calls < 35


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_stop_signal_never_cuts_a_line(service, config_file, tmp_path, unbuffered) -> None:
    """Even when the reader is slow and lines are long: half a message breaks a target."""
    service.load(
        accounts=[
            {"account_id": f"a-{n}", "account_name": "x", "attributes": {"Notes": "y" * 200_000}}
            for n in range(40)
        ]
    )
    command = [BIN / "tap-totango", "--config", config_file(service.config())]
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    for wait in (0.0, 0.2):
        with (
            (tmp_path / "log").open("wb") as log,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=env) as process,
        ):
            assert process.stdout
            read = process.stdout.read(100_000)  # the pipe is full by now, and a write waits
            time.sleep(wait)
            process.terminate()
            time.sleep(0.2)
            read += process.stdout.read()
        assert process.returncode == 128 + signal.SIGTERM
        assert read.endswith(b"\n")
        assert whole_lines(read.decode())
