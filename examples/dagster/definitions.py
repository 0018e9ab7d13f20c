"""Many Totango services under Dagster: an asset for each service and stream.

Each materialization is one run of the target in a process of its own, with its own ledger, rejects
and report. Dagster retries it, and runs as many at once as the pool of its token has room for. The
report becomes an asset check.

`TENANTS` names a JSON file: {"name": {"config": {settings of the target}, "streams": {"accounts":
["command", "that", "writes", "Singer"]}}}. `HOME_OF_RUNS` is where files stay between runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import dagster as dg

TENANTS: dict[str, Any] = json.loads(Path(os.environ["TENANTS"]).read_text(encoding="utf-8"))
HOME = Path(os.environ.get("HOME_OF_RUNS", "runs")).absolute()
RETRIES = dg.RetryPolicy(
    max_retries=int(os.environ.get("RETRIES", "2")),
    delay=float(os.environ.get("RETRY_DELAY", "60")),
)
TARGET = os.environ.get("TARGET_TOTANGO", "target-totango")


def pool_of(config: dict[str, Any]) -> str:
    """Runs with the same token share its 100 calls a minute: they have one pool of limit 1."""
    token = str(config.get("app_token") or config["service_id"])
    return f"totango_{hashlib.sha256(token.encode()).hexdigest()[:12]}"


def write(name: str, stream: str) -> dict[str, Any]:
    """Run the source into the target, and return the target's report."""
    tenant, home = TENANTS[name], HOME / name / stream
    home.mkdir(parents=True, exist_ok=True)
    report, config = home / "report.json", home / "target.json"
    own = {"ledger_path": "ledger.db", "rejects_path": "rejects.singer", "report_path": str(report)}
    config.touch(mode=0o600)
    config.write_text(json.dumps({**tenant["config"], **own}), encoding="utf-8")
    report.unlink(missing_ok=True)
    with (
        (home / "state.jsonl").open("a") as states,
        subprocess.Popen(tenant["streams"][stream], stdout=subprocess.PIPE) as source,
        subprocess.Popen(
            [TARGET, "--config", str(config)], stdin=source.stdout, stdout=states, cwd=home
        ) as target,
    ):
        (home / "pid").write_text(str(target.pid), encoding="utf-8")
        if source.stdout is not None:
            source.stdout.close()
        codes = target.wait(), source.wait()
    if any(codes):
        msg = f"{name}/{stream}: target and source exited with {codes}; see the log above."
        raise dg.Failure(msg)
    result: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return result


def asset_of(name: str, stream: str) -> dg.AssetsDefinition:
    """Return the asset of one service's stream."""
    key = dg.AssetKey([name, stream])

    @dg.asset(
        key=key,
        group_name=name,
        pool=pool_of(TENANTS[name]["config"]),
        retry_policy=RETRIES,
        check_specs=[dg.AssetCheckSpec("nothing_rejected", asset=key)],
    )
    def stream_in_totango() -> dg.MaterializeResult:
        totals = write(name, stream)["totals"]
        bad = {word: totals.get(word, 0) for word in ("rejected", "uncertain", "undelivered")}
        check = dg.AssetCheckResult(
            check_name="nothing_rejected", passed=not any(bad.values()), metadata=bad
        )
        counts = {word: count for word, count in totals.items() if isinstance(count, int)}
        return dg.MaterializeResult(metadata=counts, check_results=[check])

    return stream_in_totango


assets = [asset_of(name, stream) for name in TENANTS for stream in TENANTS[name]["streams"]]
hourly = dg.ScheduleDefinition(
    name="hourly", target=dg.AssetSelection.all(), cron_schedule="0 * * * *"
)
defs = dg.Definitions(assets=assets, schedules=[hourly])
