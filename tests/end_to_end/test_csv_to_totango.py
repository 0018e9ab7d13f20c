"""Real files, a tap that knows nothing of Totango, and everything that must be in Totango after."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from example_files import REJECTED, companies, contacts, tap_settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def loaded(tmp_path: Path, service, pipe_here, tool, config_file):
    """The example files sent to a sandbox; what became of it, the sandbox, and the rejects."""
    rejects = tmp_path / "rejects.singer"
    settings = service.config(rejects_path=str(rejects), max_rejected=len(REJECTED))
    ran = pipe_here(
        [tool("tap-csv-folder"), "--config", config_file(tap_settings())],
        ["target-totango", "--config", config_file(settings)],
    )
    return ran, service, rejects


def test_every_good_row_arrives_value_by_value(loaded) -> None:
    ran, service, _ = loaded
    ran.ok()
    assert service.writable("accounts") == companies()
    assert service.writable("users") == contacts()
    assert service.dump("log") == [], "the sandbox had to drop something"


def test_every_bad_row_is_in_the_rejects_file_with_its_reason(loaded) -> None:
    ran, _, rejects = loaded
    ran.ok()
    messages = [
        json.loads(line) for line in rejects.read_text(encoding="utf-8").split("\n") if line
    ]
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    assert {(row["account_id"] or "", row.get("user_id")) for row in records} == REJECTED
    assert [message["type"] for message in messages].count("SCHEMA") >= 1


def test_more_bad_rows_than_allowed_fail_the_run_but_not_the_good_rows(
    service, pipe_here, tool, config_file, tmp_path
) -> None:
    settings = service.config(rejects_path=str(tmp_path / "rejects.singer"))
    ran = pipe_here(
        [tool("tap-csv-folder"), "--config", config_file(tap_settings())],
        ["target-totango", "--config", config_file(settings)],
    )
    assert ran.returncodes == (0, 1)
    assert len(service.writable("accounts")) == len(companies())
    assert len(service.writable("users")) == len(contacts())


def test_only_state_comes_out_and_it_is_what_the_tap_reads_next_time(
    loaded, run, tool, config_file, tmp_path
) -> None:
    ran, _, _ = loaded
    states = [json.loads(line) for line in ran.ok().stdout.split("\n") if line]
    assert "bookmarks" in states[-1]
    state = tmp_path / "state.json"
    state.write_text(json.dumps(states[-1]))
    again = run(
        tool("tap-csv-folder"), "--config", config_file(tap_settings()), "--state", state
    ).ok()
    assert again.messages()[-1]["value"] == states[-1]
