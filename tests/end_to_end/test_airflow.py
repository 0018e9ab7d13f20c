"""What Airflow runs for each service: the task's script, from the file as it is shipped."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import toolbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox

DAG = toolbox.ROOT / "examples" / "airflow" / "totango_dag.py"
AIRFLOW = toolbox.ENVIRONMENTS / "airflow" / "bin" / "python"
LISTED = """
import json, sys
sys.path.insert(0, sys.argv[1])
import totango_dag
print(json.dumps({task.task_id: [task.pool, task.retries] for task in totango_dag.dag.tasks}))
"""


def script() -> str:
    for node in ast.parse(DAG.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RUN":
            text: str = ast.literal_eval(node.value)
            return text
    raise AssertionError


def test_the_task_of_a_service(
    sandbox: Callable[..., Sandbox],
    commands: Path,
    config_file: Callable[..., Path],
    tmp_path: Path,
) -> None:
    source, copy = sandbox(seed="accounts=9,users=9,events=0"), sandbox()
    home, path = tmp_path / "runs" / "acme", f"{commands}{os.pathsep}{os.environ['PATH']}"
    target = config_file(copy.config(report_path="report.jsonl"))

    def run(**settings: Any) -> int:
        task = {
            "HOME_OF_RUN": str(home),
            "TAP": str(config_file(source.config(**settings))),
            "TARGET": str(target),
        }
        environment = {**os.environ, **task, "PATH": path}
        return subprocess.run(["bash", "-c", script()], env=environment, check=False).returncode

    assert run() == 0
    assert len(copy.dump("users")) == 9
    state = (home / "state.json").read_text()
    assert "bookmarks" in state
    assert run(app_token="wrong") == 1
    assert run() == 0
    assert len((home / "report.jsonl").read_text().splitlines()) == 3


@pytest.mark.skipif(not AIRFLOW.exists(), reason="`make test-airflow` installs Airflow and runs it")
def test_airflow_takes_the_dag(tmp_path: Path) -> None:
    tenants = [
        {"name": "acme", "pool": "totango_acme", "tap": "tap.json", "target": "target.json"},
        {"name": "beta", "tap": "tap.json", "target": "target.json"},
    ]
    (tmp_path / "tenants.json").write_text(json.dumps(tenants))
    own = {"TENANTS": str(tmp_path / "tenants.json"), "AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run(
        [AIRFLOW, "-c", LISTED, str(DAG.parent)],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tasks = json.loads(done.stdout.strip().splitlines()[-1])
    assert tasks == {"acme": ["totango_acme", 2], "beta": ["default_pool", 2]}
