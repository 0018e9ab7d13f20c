"""The command: signals, pipes, exit codes, secrets, and what `--about` says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from forked import PREPARE
from target_runs import ACCOUNTS, ACTIVITIES, USERS, held, lines_of, record, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Run
    from sandboxes import Sandbox

pytestmark = pytest.mark.slow

SECRET = "{v2}s3cret/tok.en+$"


def account(identifier: str, **more: Any) -> dict[str, Any]:
    return record("accounts", account_id=identifier, **more)


IMPATIENT = """
from target_totango.pipeline import stages

stages.DRAIN_SECONDS = 1.0
stages.LOOKUP_SECONDS = 0.1
"""


class Running:
    """target-totango as a process whose input is written piece by piece."""

    def __init__(self, program: Path, config: Path, cwd: Path, prepare: str) -> None:
        self.process = subprocess.Popen(
            [program, "--config", config],
            env={**os.environ, PREPARE: prepare},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
        )

    def write(self, *messages: dict[str, Any] | str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(lines_of(messages).encode())
        self.process.stdin.flush()

    def end(self, *, close: bool = True) -> tuple[int, list[Any], str]:
        """Exit code, states and standard error."""
        if not close:
            self.process.wait(60)
        out, err = self.process.communicate(timeout=60)
        states = [json.loads(line) for line in out.split(b"\n") if line]
        return self.process.returncode, states, err.decode()


@pytest.fixture
def start(
    commands: Path, service: Sandbox, config_file: Callable[..., Path], tmp_path: Path
) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def run(prepare: str = "", **settings: Any) -> Running:
        config = config_file(service.config(**settings))
        running.append(Running(commands / "target-totango", config, tmp_path, prepare))
        return running[-1]

    yield run
    for one in running:
        one.process.kill()
        one.process.communicate()


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


LOOKED_BACK = ["tracking", "accounts"]


def met(service: Sandbox) -> int:
    """How many tracking calls were under way at once."""
    most: int = service.stats()["max_in_flight"].get("tracking", 0)
    return most


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_drains_what_is_under_way_and_exits_non_zero(
    start: Callable[..., Running], service: Sandbox, number: signal.Signals
) -> None:
    service.chaos("slow=1@tracking")
    target = start(canary=False)
    target.write(ACCOUNTS, account("a"), state(1), account("b"))
    eventually(lambda: met(service) == 2)
    target.process.send_signal(number)
    code, states, said = target.end(close=False)
    assert code == 128 + number
    assert set(held(service, "accounts")) == {("a",), ("b",)}
    assert states == [state(1)["value"]]
    assert "signal" in said
    assert "Traceback" not in said


STARTING = """
import signal
from target_totango import target

target.Run = lambda *_: signal.raise_signal(signal.SIGTERM)
"""


def test_a_signal_while_it_starts_ends_it_as_any_other(
    service: Sandbox, config_file: Callable[..., Path], run: Run
) -> None:
    config = config_file(service.config())
    done = run("target-totango", "--config", config, env={PREPARE: STARTING})
    assert done.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in done.stderr


def test_a_signal_ends_the_wait_for_a_row_to_become_visible(
    start: Callable[..., Running], service: Sandbox
) -> None:
    service.set(visible_after=300)
    target = start(IMPATIENT)
    target.write(ACCOUNTS, account("a"), account("b"), state(1))
    eventually(lambda: [call["surface"] for call in service.dump("calls")][-2:] == LOOKED_BACK)
    target.process.send_signal(signal.SIGTERM)
    code, states, _ = target.end(close=False)
    assert (code, states) == (128 + signal.SIGTERM, [])
    assert len(service.calls("tracking")) == 1


def test_a_signal_does_not_wait_for_calls_that_hang_nor_for_a_full_queue(
    start: Callable[..., Running], service: Sandbox
) -> None:
    service.chaos("timeout@tracking:match=slow:hang=300")
    target = start(IMPATIENT, max_in_flight=3, request_timeout=300, canary=False)
    target.write(ACCOUNTS, account("quick"), state(1), *(account(f"slow-{n}") for n in range(99)))
    eventually(lambda: bool(service.calls("tracking")) and met(service) == 3)
    target.process.send_signal(signal.SIGTERM)
    code, states, said = target.end(close=False)
    assert code == 128 + signal.SIGTERM
    assert states == [state(1)["value"]]
    assert "rows were not delivered" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "messages",
    [
        (ACCOUNTS, account("a")),
        (
            ACTIVITIES,
            record("activities", id=1, account_id="a", user_id="u", activity="x", module="m"),
        ),
    ],
    ids=["accounts", "activities"],
)
def test_a_silent_tap_does_not_hold_back_state(
    start: Callable[..., Running], messages: tuple[dict[str, Any], ...]
) -> None:
    target = start(IMPATIENT)
    target.write(*messages, state(1))
    assert target.process.stdout is not None
    assert json.loads(target.process.stdout.readline()) == state(1)["value"]
    code, states, _ = target.end()
    assert (code, states) == (0, [])


def test_while_a_tap_is_silent_calls_follow_each_other_and_are_retried(
    start: Callable[..., Running], service: Sandbox
) -> None:
    service.chaos("503@tracking:1", "slow=0.3@tracking")
    target = start(IMPATIENT, max_in_flight=2)
    rows = [record("users", account_id="a", user_id=f"u{n}", Title="T") for n in range(4)]
    target.write(ACCOUNTS, USERS, account("a"), *rows, state(1))
    assert target.process.stdout is not None
    assert json.loads(target.process.stdout.readline()) == state(1)["value"]
    assert len(held(service, "users")) == 4
    assert target.end()[:2] == (0, [])


def test_input_that_ends_inside_a_line_is_noticed(
    run_here: Callable[..., Any], service: Sandbox, config_file: Callable[..., Path]
) -> None:
    given = lines_of((ACCOUNTS, account("a"), state(1))) + '{"type":"RECORD","stream":"accou'
    ran = run_here("target-totango", "--config", config_file(service.config()), stdin=given)
    assert ran.returncode == 1
    assert json.loads(ran.stdout) == state(1)["value"]
    assert "ended inside line 4" in ran.stderr.strip().split("\n")[-1]
    assert set(held(service, "accounts")) == {("a",)}


def test_a_closed_standard_output_is_noticed(start: Callable[..., Running]) -> None:
    target = start()
    assert target.process.stdout is not None
    target.process.stdout.close()
    target.write(ACCOUNTS, account("a"), state(1))
    target.process.stdout = None
    assert target.process.stdin is not None
    target.process.stdin.close()
    target.process.stdin = None
    code = target.process.wait(60)
    assert target.process.stderr is not None
    said = target.process.stderr.read().decode()
    assert code == 1
    assert "Standard output was closed" in said.strip().split("\n")[-1]
    assert "Traceback" not in said


def test_nothing_secret_and_no_record_is_logged(
    run_here: Callable[..., Any], service: Sandbox, config_file: Callable[..., Path]
) -> None:
    service.chaos("401@tracking")
    tokens = {"app_token": SECRET, "sdr_token": SECRET + "sdr"}
    config = config_file(service.config(**tokens, max_retry_seconds=0))
    rows = account("jane.doe@example.com", Plan="private"), account("a")
    given = lines_of((ACCOUNTS, *rows, '{"type": "RECORD", "record": {"Plan": "private"}}'))
    ran = run_here("target-totango", "--config", config, stdin=given)
    assert (ran.returncode, ran.stdout) == (1, "")
    for text in (SECRET, "jane.doe", "private"):
        assert text not in ran.stderr


def test_settings_of_a_wrong_type_do_not_show_a_token(
    run_here: Callable[..., Any], config_file: Callable[..., Path], service: Sandbox
) -> None:
    config = config_file(service.config(app_token=[SECRET], sdr_token={"x": SECRET}))
    ran = run_here("target-totango", "--config", config, stdin="")
    assert ran.returncode == 1
    assert "s3cret" not in ran.stderr + ran.stdout


def test_settings_come_from_the_environment(run_here: Callable[..., Any], service: Sandbox) -> None:
    ran = run_here(
        "target-totango",
        "--config",
        "ENV",
        stdin=lines_of((ACCOUNTS, account("a"))),
        env=service.environment(
            "target-totango",
            request_timeout="12.5",
            max_rejected="0",
            skip_unchanged="off",
            mappings='[{"stream": "accounts", "object": "accounts", "account_id": "account_id"}]',
            stream_maps="{}",
        ),
    ).ok()
    assert ran.stdout == ""
    assert set(held(service, "accounts")) == {("a",)}


def test_a_variable_that_stands_for_no_number_is_named(run_here: Callable[..., Any]) -> None:
    env = {"TARGET_TOTANGO_MAX_REJECTED": "some"}
    ran = run_here("target-totango", "--config", "ENV", stdin="", env=env)
    assert ran.returncode == 1
    assert "max_rejected" in ran.stderr.strip().split("\n")[-1]
    assert "Traceback" not in ran.stderr


def test_input_may_be_a_file(
    run_here: Callable[..., Any], service: Sandbox, tmp_path: Path, config_file: Callable[..., Path]
) -> None:
    path = tmp_path / "input.singer"
    path.write_text(lines_of((ACCOUNTS, account("a"))))
    run_here("target-totango", "--config", config_file(service.config()), "--input", path).ok()
    assert set(held(service, "accounts")) == {("a",)}


def test_about_describes_every_setting(run_here: Callable[..., Any]) -> None:
    about = json.loads(run_here("target-totango", "--about", "--format", "json").ok().stdout)
    settings = about["settings"]["properties"]
    assert "load_method" not in settings
    assert settings["app_token"]["secret"] is True
    assert settings["sdr_token"]["writeOnly"] is True
    ours = {name: told for name, told in settings.items() if not name.startswith("stream_map")}
    assert all(told.get("description") for told in ours.values())
    assert about["version"][0].isdigit()
