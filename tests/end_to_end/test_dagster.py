"""Three services under Dagster, each step a process: one run killed, one service failing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
import toolbox
from target_runs import ACTIVITIES, lines_of, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox

pytestmark = pytest.mark.timeout(900)

ROWS = 120
NAMES = ("good", "killed", "failing")
IMPORTED = ["dagster._cli", "dagster._core.storage.base_storage", "sqlalchemy.dialects.sqlite"]
FORKED = {
    "execution": {
        "config": {"multiprocess": {"start_method": {"forkserver": {"preload_modules": IMPORTED}}}}
    }
}
"""Each step is a process all the same, but none imports Dagster."""
EXAMPLE = toolbox.ROOT / "examples" / "dagster"


def messages() -> str:
    rows = [
        record("activities", id=n, account_id="a", user_id=f"u{n}", activity="Pay", module="M")
        for n in range(ROWS)
    ]
    return lines_of((ACTIVITIES, *rows))


def kill_when_at_work(engine: subprocess.Popen[bytes], home: Path, service: Sandbox) -> None:
    """Kill a service's first run when some of its rows are in Totango."""
    while len(service.dump("activities")) < 20:
        assert engine.poll() is None, "it never began"
        time.sleep(0.1)
    os.kill(int((home / "killed" / "activities" / "pid").read_text()), signal.SIGKILL)
    service.chaos()


def test_one_killed_one_failing_and_the_others_complete(
    sandbox: Callable[..., Sandbox], tool: Callable[..., Path], commands: Path, tmp_path: Path
) -> None:
    dagster = tool("dagster")
    services = {name: sandbox() for name in NAMES}
    # So that the run does not end before it is killed.
    services["killed"].chaos(f"timeout@tracking:match=u{ROWS - 9}:hang=600")
    services["failing"].chaos("403@tracking")
    source = tmp_path / "rows.singer"
    source.write_text(messages())
    tenants: dict[str, Any] = {
        name: {
            "config": service.config(
                max_in_flight=4,
                max_retry_seconds=1,
                activity_delivery="at_least_once",
            ),
            "streams": {"activities": ["cat", str(source)]},
        }
        for name, service in services.items()
    }
    (tmp_path / "tenants.json").write_text(json.dumps(tenants))
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text((EXAMPLE / "dagster.yaml").read_text())
    environment = {
        **os.environ,
        "TENANTS": str(tmp_path / "tenants.json"),
        "HOME_OF_RUNS": str(tmp_path / "runs"),
        "TARGET_TOTANGO": str(commands / "target-totango"),
        "DAGSTER_HOME": str(home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "RETRIES": "1",
        "RETRY_DELAY": "0",
    }
    command = [dagster, "asset", "materialize", "--select", "*", "-f", EXAMPLE / "definitions.py"]
    command += ["--config-json", json.dumps(FORKED)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=tmp_path)
        try:
            kill_when_at_work(process, tmp_path / "runs", services["killed"])
            code = process.wait(540)
        finally:
            process.kill()
    said = (tmp_path / "log").read_text()
    assert code == 1, said[-3000:]
    assert "failing/activities: target and source exited with" in said
    everybody = {f"u{n}" for n in range(ROWS)}
    for name in ("good", "killed"):
        sent = [row["user_id"] for row in services[name].dump("activities")]
        assert set(sent) == everybody, (name, said[-3000:])
        report = json.loads((tmp_path / "runs" / name / "activities" / "report.json").read_text())
        assert report["totals"]["rejected"] == 0
    assert len(services["good"].dump("activities")) == ROWS
    assert services["failing"].dump("activities") == []
