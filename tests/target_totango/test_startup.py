"""Settings that the SDK checks, and signals: what ends a run before it is done."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest
from in_process import run_main

from target_totango.cli import main
from target_totango.target import TargetTotango

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox


@pytest.mark.parametrize(
    "setting",
    [{"flattening_max_depth": "deep"}, {"stream_maps": 5}, {"add_record_metadata": "perhaps"}],
    ids=str,
)
def test_a_setting_of_the_sdk_that_does_not_fit_is_named_in_a_sentence(
    service: Sandbox, config_file: Callable[..., Path], setting: dict[str, Any]
) -> None:
    ran = run_main(main, "target-totango", "--config", str(config_file(service.config(**setting))))
    assert ran.code == 1
    last = ran.stderr.strip().splitlines()[-1]
    assert "The settings cannot be used: " in last
    assert next(iter(setting)) in last
    assert "Traceback" not in ran.stderr


def test_what_should_never_happen_leaves_its_traceback(
    config_file: Callable[..., Path], service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("target_totango.cli.check", fail)
    config = str(config_file(service.config()))
    ran = run_main(main, "target-totango", "check", "--config", config)
    assert ran.code == 1
    assert "target-totango failed in a way that it should not." in ran.stderr
    assert "ZeroDivisionError" in ran.stderr


def test_an_error_without_stream_maps_is_not_blamed_on_them(service: Sandbox) -> None:
    with pytest.raises(TypeError, match="unknown"):
        TargetTotango(config=service.config(), unknown=1)


def test_a_second_signal_ends_the_run_at_once(
    service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    monkeypatch.setattr(threading.Timer, "start", lambda _: None)
    target = TargetTotango(config=service.config())
    target._handle_termination(signal.SIGTERM, None)
    assert left == []
    target._handle_termination(signal.SIGINT, None)
    assert left == [128 + signal.SIGINT]
