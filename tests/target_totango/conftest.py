"""A sandbox for the package's tests, and the target run inside this process."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from in_process import run_main
from skipped_waits import Clock
from target_runs import PROBED, Delivered, lines_of

from target_totango.cli import main
from target_totango.probe import QUESTIONS, account
from target_totango.target import TargetTotango
from totango_api.config import Connection
from totango_api.errors import TotangoError
from totango_api.http import ApiClient, retry
from totango_api.probe import Caller, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ran import Ran
    from sandboxes import Sandbox

    from totango_api.probe import Answer

SEARCHES = {"accounts", "events"}
"""The surfaces on which a probe looks for what it wrote."""


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the order and the number of retries, but not their waits; probes wait for less."""
    monkeypatch.setattr(account, "FEWEST_SECONDS", 0.2)
    monkeypatch.setattr(retry.random, "uniform", lambda *_: 0.01)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock for all waits until rows become visible: they cost no time."""
    clock = Clock()
    for module in (
        "pipeline.canary",
        "pipeline.watched_row",
        "pipeline.stages",
        "pipeline.interruption",
    ):
        monkeypatch.setattr(f"target_totango.{module}.time", clock)
    for module in ("verify.polling", "verify.rows", "delivery.engagement_search"):
        monkeypatch.setattr(f"target_totango.{module}.time", clock)
    return clock


@pytest.fixture
def deliver(
    service: Sandbox,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Callable[..., Delivered]:
    """`deliver(message, …, setting=value, …)`: one run of the target against the sandbox."""
    rejects, report = tmp_path / "rejects.singer", tmp_path / "report.json"

    def run(*messages: dict[str, Any] | str, **settings: Any) -> Delivered:
        for path in (rejects, report):
            path.unlink(missing_ok=True)
        config = service.config(
            rejects_path=str(rejects), report_path=str(report), max_retry_seconds=5
        )
        capsys.readouterr()
        caplog.clear()
        caplog.set_level("INFO")
        error: BaseException | None = None
        try:
            target = TargetTotango(config={**config, **settings})
            target.listen(io.StringIO(lines_of(messages)))
        except (TotangoError, SystemExit) as raised:
            error = raised
        out, err = capsys.readouterr()
        lines = rejects.read_text().split("\n") if rejects.exists() else []
        return Delivered(
            error,
            [json.loads(line) for line in out.split("\n") if line],
            [json.loads(line) for line in lines if line],
            json.loads(report.read_text()) if report.exists() else {},
            err + caplog.text,
        )

    return run


@pytest.fixture
def probe(
    service: Sandbox, config_file: Callable[..., Path], tmp_path: Path
) -> Callable[..., tuple[Ran, Any]]:
    """`probe(option, …, setting=value)`: what `target-totango probe` says, and its profile."""

    def run(*options: str, account_id: str = PROBED, **settings: Any) -> tuple[Ran, Any]:
        path = tmp_path / "answers.json"
        path.unlink(missing_ok=True)
        config = config_file(service.config(**settings))
        arguments = ["probe", "--config", str(config), "--account-id", account_id]
        ran = run_main(main, "target-totango", *arguments, "--output", str(path), *options)
        return ran, json.loads(path.read_text()) if path.exists() else None

    return run


@pytest.fixture
def probe_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock for all waits of a probe: they cost no time."""
    clock = Clock()
    for module in ("probe.account", "probe.made_engagements", "verify.polling"):
        monkeypatch.setattr(f"target_totango.{module}.time", clock)
    return clock


@pytest.fixture
def seen_late(service: Sandbox, probe_clock: Clock) -> Callable[[float], None]:
    """`seen_late(seconds)`: each write is seen so long after it, on the clock of probes."""

    def late(seconds: float) -> None:
        service.set(visible_after=1_000 * seconds)
        writes, since, before = 0, 0.0, 0.0

        def settle(waited: float) -> None:
            nonlocal writes, since, before
            made = sum(call["surface"] not in SEARCHES for call in service.dump("calls"))
            if made > writes:
                writes, since = made, before
            before = waited
            if waited - since >= seconds:
                service.settle()

        probe_clock.on_wait = settle

    return late


@pytest.fixture
def probed(service: Sandbox) -> Iterator[account.ProbedAccount]:
    """The account that a probe writes to."""
    connection = Connection.from_config(service.config(), user_agent="test")
    with ApiClient(replace(connection, max_retry_seconds=0)) as client:
        caller = Caller(client, 60)
        yield account.ProbedAccount(caller, PROBED, sdr_token=None, wait_seconds=2)


@pytest.fixture
def ask(probed: account.ProbedAccount) -> Callable[[str], Answer]:
    """`ask(name)`: the answer to the question of that name."""
    by_name = {question.name: question for question in QUESTIONS}
    return lambda name: asked(by_name[name], probed)
