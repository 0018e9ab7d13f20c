"""A command that is forked ends with the program that stands in its place, and that one with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from forked import forked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def serving(commands: Path, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A stand-in, and the process id of the sandbox behind it."""
    ready = home / "ready.json"
    command = [commands / "totango-sandbox", "serve", "--port", "0", "--ready-file", ready]
    with subprocess.Popen([*command, "--seed", "none"], stderr=subprocess.DEVNULL) as process:
        while not ready.exists():
            assert process.poll() is None
            time.sleep(0.01)
        yield process, json.loads(ready.read_text())["pid"]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_stand_in_that_is_killed_takes_the_command_with_it(
    commands: Path, tmp_path: Path
) -> None:
    with serving(commands, tmp_path) as (process, pid):
        assert is_running(pid)
        process.kill()
    deadline = time.monotonic() + 60
    while is_running(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_stand_in_ends_as_its_command_does(
    commands: Path, tmp_path: Path, number: int, code: int
) -> None:
    with serving(commands, tmp_path) as (process, pid):
        os.kill(pid, number)
    assert process.returncode == code


def test_a_stand_in_hands_signals_on(commands: Path, tmp_path: Path) -> None:
    with serving(commands, tmp_path) as (process, _):
        process.send_signal(signal.SIGINT)
    assert process.returncode == 0


def test_a_program_that_cannot_be_imported_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = tmp_path / "broken-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[console_scripts]\nbroken = broken:main\n")
    (tmp_path / "broken.py").write_text("import no_such_module\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with forked(["broken"]) as folder:
        for _ in range(2):
            ran = subprocess.run([folder / "broken"], capture_output=True, text=True, check=False)
            assert ran.returncode == 1
            assert "No module named 'no_such_module'" in ran.stderr
