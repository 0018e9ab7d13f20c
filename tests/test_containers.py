"""Dockerfile and CronJob: linted, and the script in the CronJob does what it says."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
import toolbox
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox

pytestmark = pytest.mark.slow

CRONJOB = toolbox.ROOT / "examples" / "kubernetes" / "cronjob.yaml"


def container() -> dict[str, Any]:
    pod = yaml.safe_load(CRONJOB.read_text())["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    found: dict[str, Any] = pod["containers"][0]
    return found


def test_hadolint_has_nothing_to_say(tool: Callable[..., Path]) -> None:
    check = [tool("hadolint"), toolbox.ROOT / "Dockerfile"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_cronjob_is_one(tool: Callable[..., Path]) -> None:
    check = [tool("kubernetes-validate"), "--strict", CRONJOB]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_gets_what_it_copies() -> None:
    lines = (toolbox.ROOT / "Dockerfile").read_text().splitlines()
    copied = {
        name
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    }
    allowed = (toolbox.ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in copied} <= set(allowed)
    assert all((toolbox.ROOT / name).exists() for name in copied)
    assert "USER 10001" in lines


@pytest.fixture
def start(commands: Path, tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """`start(settings)`: the script in the CronJob, as the container runs it."""

    def run(settings: dict[str, str]) -> subprocess.Popen[bytes]:
        path = f"{commands}{os.pathsep}{os.environ['PATH']}"
        own = {one["name"]: one["value"] for one in container()["env"]}
        program = [*container()["command"], *container()["args"]]
        environment = {**os.environ, **own, "PATH": path, **settings}
        return subprocess.Popen(program, cwd=tmp_path, env=environment, start_new_session=True)

    return run


def test_its_script_keeps_the_state_and_the_exit_code(
    sandbox: Callable[..., Sandbox], start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    source, copy = sandbox(seed="accounts=9,users=9,events=0"), sandbox()
    settings = source.environment("tap-totango") | copy.environment("target-totango")

    def run(**more: str) -> int:
        return start(settings | more).wait(120)

    assert run() == 0
    state = (tmp_path / "state.json").read_text()
    assert "bookmarks" in state
    assert len(copy.dump("accounts")) == 9
    assert run(TAP_TOTANGO_APP_TOKEN="wrong") == 1
    assert (tmp_path / "state.json").read_text().strip()
    assert run() == 0
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) == 3


def test_its_script_hands_a_signal_on_and_waits(
    sandbox: Callable[..., Sandbox], start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    source, copy = sandbox(seed="accounts=2000,users=0,events=0"), sandbox()
    copy.chaos("slow=0.2@tracking")
    settings = source.environment("tap-totango")
    settings |= copy.environment("target-totango", max_in_flight=1, canary=False)
    running = start(settings)
    while len(copy.calls("tracking")) < 3:
        assert running.poll() is None
        time.sleep(0.05)
    running.terminate()
    assert running.wait(120) == 143
    report = json.loads((tmp_path / "report.jsonl").read_text())
    assert "signal 15" in report["failure"]
    calls = len(copy.calls("tracking"))
    assert calls == report["calls"]["tracking"]["calls"] < 2000
