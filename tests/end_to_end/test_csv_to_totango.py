"""Real files, a tap that knows nothing of Totango, and everything that must be in Totango after."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from example_files import REJECTED, companies, contacts, tap_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_every_row_arrives_or_is_on_file_and_state_is_what_the_tap_reads_next_time(
    tmp_path: Path, service, run, pipe_here, forked_tool, config_file
) -> None:
    rejects, state = tmp_path / "rejects.singer", tmp_path / "state.json"
    settings = service.config(rejects_path=str(rejects), max_rejected=len(REJECTED))
    tap = [forked_tool("tap-csv-folder"), "--config", config_file(tap_settings())]
    ran = pipe_here(tap, ["target-totango", "--config", config_file(settings)]).ok()
    assert service.writable("accounts") == companies()
    assert service.writable("users") == contacts()
    assert service.dump("log") == [], "the sandbox had to drop something"

    messages = [
        json.loads(line) for line in rejects.read_text(encoding="utf-8").split("\n") if line
    ]
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    assert {(row["account_id"] or "", row.get("user_id")) for row in records} == REJECTED
    assert [message["type"] for message in messages].count("SCHEMA") >= 1

    states = [json.loads(line) for line in ran.stdout.split("\n") if line]
    assert "bookmarks" in states[-1]
    state.write_text(json.dumps(states[-1]))
    assert run(*tap, "--state", state).ok().messages()[-1]["value"] == states[-1]
