"""The same through Meltano, with meltano.yml as it is shipped and Meltano's own state.

And snippets of the documentation, pasted into a project: Meltano takes and runs them.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import toolbox
import yaml
from example_files import CSV

from tap_totango.probe import QUESTIONS as OF_THE_TAP
from target_totango.probe import ALWAYS_ASKED as OF_THE_TARGET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def meltano(meltano_in, tmp_path):
    """`meltano("run", …, **settings)`: Meltano in the repository, with a state of its own."""
    own = {
        "TAP_CSV_FOLDER_PATH": str(CSV),
        "TARGET_JSONL_DESTINATION_PATH": str(tmp_path / "files"),
    }
    shipped = toolbox.ROOT / "meltano.yml"
    before = shipped.read_text(encoding="utf-8")
    here = meltano_in(toolbox.ROOT)
    yield lambda *arguments, **settings: here(*arguments, **own | settings)
    assert shipped.read_text(encoding="utf-8") == before, "Meltano has rewritten meltano.yml"


def lines(path: Path) -> list[dict]:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.split("\n") if line]


def rows_read(service, calls_before: int) -> int:
    """Rows that searches have answered with since that many calls."""
    return sum(call["rows"] or 0 for call in service.calls("accounts", "users")[calls_before:])


def log_in(service, user: dict) -> None:
    call = {"sdr_s": service.service_id, "sdr_o": user["account_id"], "sdr_u": user["user_id"]}
    form = urlencode(call | {"sdr_a": "Log in", "sdr_m": "Tests"}).encode()
    with urlopen(f"{service.url}/pixel.gif", form, timeout=60):
        pass


def test_second_run_reads_only_what_changed(meltano, sandbox, tmp_path) -> None:
    service = sandbox(seed="accounts=400,users=700")
    settings = service.environment("tap-totango")
    meltano("run", "tap-totango", "target-jsonl", **settings).ok()
    accounts, users = (tmp_path / "files" / f"{kind}.jsonl" for kind in ("accounts", "users"))
    assert (len(lines(accounts)), len(lines(users))) == (400, 700)
    calls = len(service.calls("accounts", "users"))
    read_in_full = rows_read(service, 0)
    assert read_in_full >= 1100

    active = service.dump("users")[5:8]
    for user in active:
        log_in(service, user)
    meltano("run", "tap-totango", "target-jsonl", **settings).ok()
    assert rows_read(service, calls) < read_in_full / 10
    again = lines(users)[700:]
    assert {row["user_id"] for row in active} <= {row["user_id"] for row in again}
    assert len(again) < 70

    state = meltano("state", "get", "dev:tap-totango-to-target-jsonl").ok()
    assert set(json.loads(state.stdout)["singer_state"]["bookmarks"]) >= {"accounts", "users"}


@pytest.mark.parametrize("plugin", ["extractors/tap-totango", "loaders/target-totango"])
def test_what_meltano_installed_starts(installed, run, plugin: str) -> None:
    home = installed / plugin
    assert f"{home.name} v" in run(home / "venv" / "bin" / home.name, "--version").ok().stdout


def test_failure_reaches_meltano(meltano, service) -> None:
    settings = service.environment("tap-totango", app_token="not-the-token", max_retry_seconds=0)
    ran = meltano("run", "tap-totango", "target-jsonl", **settings)
    assert ran.returncode == 1
    assert "app_token" in ran.stdout + ran.stderr


def test_columns_can_be_selected(meltano, service) -> None:
    listed = meltano("select", "tap-totango", "--list", **service.environment("tap-totango"))
    assert "selected" in listed.ok().stdout
    assert "accounts.account_id" in listed.stdout


@pytest.mark.parametrize("plugin", ["tap-totango", "target-totango"])
def test_config_test_tries_the_service_and_writes_nothing(meltano, service, plugin) -> None:
    service.load(accounts=[{"account_id": "a", "account_name": "A"}])
    before = service.dump("accounts")
    tried = meltano("config", "test", plugin, **service.environment(plugin))
    assert service.dump("accounts") == before
    assert service.calls("accounts")
    told = tried.stdout + tried.stderr
    # Meltano 4.4.1 terminates a loader that has mostly ended already, and fails at that.
    assert "is valid" in told or ("Test data was written" in told and "ProcessLookupError" in told)


def test_check_through_meltano(meltano, service) -> None:
    settings = service.environment("target-totango", request_timeout=25)
    ran = meltano("invoke", "target-totango:check", **settings)
    assert "Token accepted" in ran.ok().stdout


def test_probe_of_the_tap_through_meltano(meltano, sandbox, tmp_path) -> None:
    service, path = sandbox(seed="accounts=5,users=5,events=5"), tmp_path / "profile.json"
    settings = service.environment("tap-totango", probe_path=path)
    without = settings | {"TAP_TOTANGO_PROBE_PATH": ""}
    ran = meltano("invoke", "tap-totango:probe", "--output", str(path), **without).ok()
    assert f"{len(OF_THE_TAP)} of {len(OF_THE_TAP)} questions are settled" in ran.stdout
    assert json.loads(path.read_text())["plugin"] == "tap-totango"
    ran = meltano("invoke", "tap-totango:check", **settings).ok()
    assert "Token accepted" in ran.stdout


def test_probe_and_rejects_of_the_target_through_meltano(meltano, sandbox, tmp_path) -> None:
    service = sandbox(seed="accounts=5,users=5,events=0")
    settings = service.environment("target-totango")
    (account, *_) = (row["account_id"] for row in service.dump("accounts"))
    path, rejects = tmp_path / "answers.json", tmp_path / "rejects.singer"
    probe = ("invoke", "target-totango:probe", "--account-id", account, "--output", str(path))
    asked = f"{len(OF_THE_TARGET)} of {len(OF_THE_TARGET)} questions are settled"
    assert asked in meltano(*probe, "--yes", **settings).ok().stdout
    assert json.loads(path.read_text())["plugin"] == "target-totango"
    row = {"account_id": account, "account_name": "Sent again"}
    schema = {"properties": {key: {"type": "string"} for key in row}}
    messages = [
        {"type": "SCHEMA", "stream": "accounts", "schema": schema, "key_properties": []},
        {"type": "RECORD", "stream": "accounts", "record": row, "_reject": {"stream": "accounts"}},
    ]
    rejects.write_text("".join(json.dumps(message) + "\n" for message in messages))
    ran = meltano("invoke", "target-totango:rejects", str(rejects), "--replay", **settings).ok()
    assert "env var" not in ran.stdout + ran.stderr
    assert service.writable("accounts")[(account,)]["account_name"] == "Sent again"


# Snippets ------------------------------------------------------------------------------------


def snippet(page: str) -> dict[str, Any]:
    """The page's first block of YAML that has schedules."""
    text = (toolbox.ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    found = next(block for block in blocks if "schedules:" in block)
    parsed: dict[str, Any] = yaml.safe_load(found.replace("git+<this repository>", "-e ."))
    return parsed


def merged(project: dict[str, Any], pasted: dict[str, Any]) -> dict[str, Any]:
    plugins = {
        kind: [*project["plugins"][kind], *pasted["plugins"].get(kind, [])]
        for kind in project["plugins"]
    }
    return {**project, **pasted, "plugins": plugins}


@pytest.fixture
def project(meltano_in: Any, tmp_path: Path) -> Callable[..., Any]:
    """`project(content)`: Meltano in a folder with this meltano.yml."""

    def make(content: dict[str, Any]) -> Callable[..., Any]:
        home = tmp_path / "project"
        home.mkdir()
        (home / "meltano.yml").write_text(yaml.safe_dump(content, sort_keys=False))
        here, own = meltano_in(home), {"TARGET_JSONL_DESTINATION_PATH": str(tmp_path)}
        return lambda *arguments, **settings: here(*arguments, **own | settings)

    return make


def test_schedules_from_minutes_to_monthly(project: Any, sandbox: Any, tmp_path: Path) -> None:
    shipped = yaml.safe_load((toolbox.ROOT / "meltano.yml").read_text(encoding="utf-8"))
    meltano = project(merged(shipped, snippet("docs/schedules.md")))
    listed = json.loads(meltano("schedule", "list", "--format", "json").ok().stdout)
    job_of = {one["name"]: one["job"]["name"] for one in listed["schedules"]["job"]}
    assert set(job_of) == {"every-quarter-of-an-hour", "hourly", "nightly", "monthly"}
    service = sandbox(seed="accounts=30,users=40,events=0")
    settings = service.environment("tap-totango") | service.environment("tap-totango-full")
    for job in dict.fromkeys(job_of.values()):
        meltano("run", job, **settings).ok()
    assert len((tmp_path / "accounts.jsonl").read_text().splitlines()) == 60


def test_plugins_of_the_examples(project: Any, sandbox: Any, tmp_path: Path) -> None:
    pasted = snippet("examples/README.md")
    fresh = {"default_environment": "dev", "environments": [{"name": "dev"}]}
    quiet = {"project_id": "snippet", "send_anonymous_usage_stats": False}
    meltano = project({**fresh, **quiet, **pasted})
    settings = sandbox(seed="accounts=5,users=5,events=0").environment("tap-totango")
    meltano("schedule", "run", "totango-hourly", **settings).ok()
    (users,) = tmp_path.glob("users-*.jsonl")
    assert len(users.read_text().splitlines()) == 5
