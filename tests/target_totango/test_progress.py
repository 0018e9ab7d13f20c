"""How far a run of the target is."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

from target_totango.clients import Clients
from target_totango.config import Settings
from target_totango.report import Progress, Report
from target_totango.singer import StateCheckpointer
from totango_api.command import progress as module
from totango_api.config import Connection

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_file_has_an_end_and_a_pipe_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(module, "LOG_SECONDS", 0)
    path = tmp_path / "rows.singer"
    path.write_text("x" * 100)
    report = Report()
    report.metrics("accounts", "accounts").received = 7
    progress = Progress(report, StateCheckpointer(), lambda: 42)
    with path.open() as half_read:
        half_read.seek(50)
        monkeypatch.setattr(sys, "stdin", half_read)
        progress.pulse()
    reader, writer = os.pipe()
    os.close(writer)
    for descriptor in (reader, os.open(os.devnull, os.O_RDONLY)):
        with os.fdopen(descriptor) as endless:
            monkeypatch.setattr(sys, "stdin", endless)
            progress.pulse()
    monkeypatch.setattr(sys, "stdin", None)
    progress.pulse()
    progress.end()
    first, *others = (record.getMessage() for record in caplog.records)
    assert first.startswith("7 rows read, 0 sent, 0 rejected, 0 under way, ")
    assert "about 0 s left, 42 calls left in this minute" in first
    assert len(others) == 3
    for said in others:
        assert said.endswith("42 calls left in this minute")
        assert " s left" not in said


def test_a_run_that_waits_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOG_SECONDS", 0)
    monkeypatch.setattr(module, "IDLE_LOG_SECONDS", 0.01)
    asked, waits = [], threading.Event()

    def left() -> int:
        asked.append(threading.current_thread())
        if len(set(asked)) > 1:
            waits.set()
        return 0

    progress = Progress(Report(), StateCheckpointer(), left)
    progress.pulse()
    assert waits.wait(60)
    progress.end()


def test_to_say_how_far_it_is_no_run_looks_its_region_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object) -> Connection:
        raise AssertionError("a call went out")

    monkeypatch.setattr("target_totango.clients.resolved", look_up)
    config = {"app_token": "t", "service_id": "SP-1-01", "region": "auto"}
    connection = Connection.from_config(config, user_agent="test")
    clients = Clients(Settings.from_config(config), connection, config)
    assert clients.calls_left() is None
