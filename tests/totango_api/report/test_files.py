"""Where reports go: all of a file or nothing of it, and never over what is no file."""

from __future__ import annotations

import json
import os
import resource
import stat
from typing import TYPE_CHECKING, Any

import pytest

from totango_api.command import checked_paths
from totango_api.errors import SettingsError, TotangoError
from totango_api.report import ReportFiles

if TYPE_CHECKING:
    from pathlib import Path

REPORT = {"program": "tap-totango", "complete": True, "totals": {"received": 1}, "streams": []}


def files(report: Path | None, history: Path | None = None) -> ReportFiles:
    config = {
        "report_path": report and str(report),
        "report_history_path": history and str(history),
    }
    return ReportFiles.of(checked_paths(ReportFiles.paths(config)))


def test_a_page_has_its_json_beside_it(tmp_path: Path) -> None:
    files(tmp_path / "runs" / "page.html").write(REPORT)
    assert json.loads((tmp_path / "runs" / "page.json").read_text()) == REPORT
    assert (tmp_path / "runs" / "page.html").read_text().startswith("<!doctype html>")
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["page.html", "page.json"]


def test_the_history_makes_the_line_of_the_page(tmp_path: Path) -> None:
    target = files(tmp_path / "page.html", tmp_path / "runs.jsonl")
    target.write(REPORT)
    with (tmp_path / "runs.jsonl").open("a") as history:
        history.write('{"cut\n[]\n{"totals": 1}\n')
    target.write(REPORT)
    assert "the last 2 runs" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("name", ["page.html", "page.json"])
def test_what_is_no_file_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(SettingsError, match="it is a folder, not a file"):
        files(tmp_path / "page.html")


def test_page_json_and_history_are_different_files(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="the same file"):
        files(tmp_path / "page.html", tmp_path / "page.json")


def test_values_are_for_the_owner_alone(tmp_path: Path) -> None:
    page, history = tmp_path / "page.html", tmp_path / "runs.jsonl"
    page.write_text("older")
    page.chmod(0o644)
    files(page, history).write(REPORT, is_private=True)
    for path in (page, page.with_suffix(".json"), history):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_older_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.html"
    page.write_text("older")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(TotangoError, match="cannot be written: No space left on device"):
        files(page).write(REPORT)
    assert page.read_text() == "older"


@pytest.mark.parametrize("left", ['{"program": "cut', ""])
def test_a_line_of_a_history_stands_behind_whole_lines(tmp_path: Path, left: str) -> None:
    """What a full disk or a kill left of a line damages no later one."""
    history = tmp_path / "runs.jsonl"
    history.write_text(left)
    target = files(tmp_path / "page.html", history)
    target.write(REPORT)
    target.write(REPORT)
    lines = history.read_text().splitlines()
    assert [json.loads(line) for line in lines[-2:]] == [REPORT, REPORT]
    assert lines[:-2] == ([left] if left else [])


def test_a_line_that_is_cut_is_said(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(TotangoError, match=r"runs\.jsonl cannot be written"):
            files(tmp_path / "runs.jsonl").write(REPORT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "runs.jsonl").stat().st_size == 10


def test_a_history_that_cannot_be_written_costs_no_report(tmp_path: Path) -> None:
    page, history = tmp_path / "page.html", tmp_path / "runs.jsonl"
    target = files(page, history)
    history.mkdir()
    with pytest.raises(TotangoError, match=r"runs\.jsonl cannot be written") as raised:
        target.write(REPORT)
    assert "Set report_history_path" in raised.value.remedy
    assert json.loads(page.with_suffix(".json").read_text()) == REPORT


def test_runs_that_end_together_each_have_their_line(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    history = tmp_path / "runs.jsonl"
    reports = [{**REPORT, "number": number, "text": "x" * 1_000_000} for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(files(history).write, reports))
    lines = [json.loads(line) for line in history.read_text().splitlines()]
    assert sorted(line["number"] for line in lines) == list(range(16))


@pytest.mark.parametrize("name", ["page.html", "page.json"])
@pytest.mark.parametrize("content", ['{"app_token": "hidden"}', "[]", "no JSON"])
def test_settings_of_the_same_name_are_not_replaced(
    tmp_path: Path, name: str, content: str
) -> None:
    settings = tmp_path / "page.json"
    settings.write_text(content)
    with pytest.raises(SettingsError, match=r"would replace .*page\.json, which is no report"):
        files(tmp_path / name)
    assert settings.read_text() == content


@pytest.mark.parametrize("name", ["page.html", "page.json"])
def test_an_older_report_is_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / "page.json").touch()
    for _ in range(2):
        files(tmp_path / name).write(REPORT)
    assert json.loads((tmp_path / "page.json").read_text()) == REPORT
