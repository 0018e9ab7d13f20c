"""Meltano with the plugins of meltano.yml, installed once for every test that runs it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
import toolbox

if TYPE_CHECKING:
    from pathlib import Path

PLUGINS = ("tap-totango", "tap-csv-folder", "target-totango", "target-jsonl")


@pytest.fixture(scope="session")
def index_of_pip() -> dict[str, str]:
    """What Meltano needs, since it installs with uv."""
    return toolbox.index_of_pip()


@pytest.fixture(scope="session")
def installed(index_of_pip: dict[str, str]) -> Path:
    """Meltano's own folder, kept between runs, with the plugins installed."""
    home = toolbox.ENVIRONMENTS / "meltano"
    home.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **index_of_pip, "MELTANO_SYS_DIR_ROOT": str(home)}
    done = subprocess.run(
        [toolbox.BIN / "meltano", "install", *PLUGINS],
        cwd=toolbox.ROOT,
        env={**environment, "MELTANO_DATABASE_URI": f"sqlite:///{home}/meltano.db"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return home
