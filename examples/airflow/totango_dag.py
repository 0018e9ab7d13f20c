"""Many Totango services under Airflow: one mapped task for each service, in a pool for its token.

`TENANTS` names a JSON file: [{"name": "acme", "pool": "totango_acme", "tap": "tap.json",
"target": "target.json"}]. Make each pool with one slot: runs that share a token share its 100 calls
a minute. Each task is one process in its own folder, where its files stay.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

TENANTS = json.loads(Path(os.environ["TENANTS"]).read_text(encoding="utf-8"))
HOME = Path(os.environ.get("HOME_OF_RUNS", "runs")).absolute()

RUN = """
set -euo pipefail
mkdir -p "$HOME_OF_RUN" && cd "$HOME_OF_RUN"
state=(); [ -s state.json ] && state=(--state state.json)
code=0
tap-totango --config "$TAP" "${state[@]}" | target-totango --config "$TARGET" > states || code=$?
tail -n 1 states > state.next
[ ! -s state.next ] || mv state.next state.json
exit "$code"
"""

with DAG(
    dag_id="totango",
    schedule="@hourly",
    start_date=datetime(2025, 1, 1),  # noqa: DTZ001 (Airflow takes it for UTC)
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
) as dag:
    for tenant in TENANTS:
        BashOperator(
            task_id=tenant["name"],
            pool=tenant.get("pool", "default_pool"),
            bash_command=RUN,
            append_env=True,
            env={
                "HOME_OF_RUN": str(HOME / tenant["name"]),
                "TAP": str(Path(tenant["tap"]).absolute()),
                "TARGET": str(Path(tenant["target"]).absolute()),
            },
        )
