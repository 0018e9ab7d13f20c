"""Snippets of the documentation, pasted into a project: Meltano takes and runs them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import toolbox
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)


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
