"""Snippets of the documentation, pasted into a project: Meltano takes and runs them."""

from __future__ import annotations

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
def project(tmp_path: Path, installed: Path, run: Any) -> Callable[..., Any]:
    """`project(content)`: a folder with this meltano.yml, in which Meltano is run."""

    def make(content: dict[str, Any]) -> Callable[..., Any]:
        home = tmp_path / "project"
        home.mkdir()
        (home / "meltano.yml").write_text(yaml.safe_dump(content, sort_keys=False))
        plugins = tmp_path / "meltano"
        plugins.mkdir()
        for kind in ("extractors", "loaders"):
            (plugins / kind).symlink_to(installed / kind)
        own = {
            "MELTANO_SYS_DIR_ROOT": str(plugins),
            "MELTANO_AUTO_INSTALL": "false",
            "TARGET_JSONL_DESTINATION_PATH": str(tmp_path),
            "NO_COLOR": "1",
        }
        return lambda *arguments, **settings: run(
            "meltano", *arguments, env=own | settings, cwd=home, timeout=300
        )

    return make


def test_schedules_from_minutes_to_monthly(project: Any, sandbox: Any, tmp_path: Path) -> None:
    shipped = yaml.safe_load((toolbox.ROOT / "meltano.yml").read_text(encoding="utf-8"))
    meltano = project(merged(shipped, snippet("docs/schedules.md")))
    listed = meltano("schedule", "list").ok().stdout
    for name in ("every-quarter-of-an-hour", "hourly", "nightly", "monthly"):
        assert name in listed
    service = sandbox(seed="accounts=30,users=40,events=0")
    settings = service.environment("tap-totango") | service.environment("tap-totango-full")
    for name in ("hourly", "nightly"):
        meltano("schedule", "run", name, **settings).ok()
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
