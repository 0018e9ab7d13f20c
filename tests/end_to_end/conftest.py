"""Meltano with the plugins of meltano.yml, installed and imported once for all who run it."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Protocol

import pytest
import toolbox
from forked import forked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Run
    from ran import Ran

PLUGINS = ("tap-totango", "tap-csv-folder", "target-totango", "target-jsonl")
OWN = ("tap-totango", "target-totango")
NEEDED = ("PATH", "HOME", "LANG", "TMPDIR")
DECIDES = ("meltano.yml", "pyproject.toml")
"""The files that say what is installed; our own code is where it always is."""

PREPARE = f"""
import alembic.command, alembic.context, anyio._backends._asyncio, sqlalchemy.dialects.sqlite
import meltano.core.meltano_file, meltano.core.state_store.azure, meltano.core.state_store.google
import meltano.core.state_store.s3, meltano.migrations.utils.dialect_typing
from meltano.core import yaml
yaml.load({str(toolbox.ROOT / "meltano.yml")!r})  # takes half a second, and is kept
"""


@pytest.fixture(scope="session")
def installed() -> Path:
    """Meltano's own folder, kept between runs, with the plugins installed and a new database."""
    home, stamp = toolbox.ENVIRONMENTS / "meltano", toolbox.ENVIRONMENTS / "meltano" / ".installed"
    wanted = "\n".join((toolbox.ROOT / name).read_text(encoding="utf-8") for name in DECIDES)
    with toolbox.alone(home):
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            own = {
                "MELTANO_SYS_DIR_ROOT": str(home),
                "MELTANO_DATABASE_URI": f"sqlite:///{home}/meltano.db",
            }
            done = subprocess.run(
                [toolbox.BIN / "meltano", "install", *PLUGINS],
                cwd=toolbox.ROOT,
                env={**os.environ, **toolbox.index_of_pip(), **own},
                capture_output=True,
                text=True,
                timeout=500,
                check=False,
            )
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
            stamp.write_text(wanted, encoding="utf-8")
    return home


class Meltano(Protocol):
    """Runs a command of Meltano to its end."""

    def __call__(self, *arguments: str, **settings: str) -> Ran: ...


class MeltanoIn(Protocol):
    """Makes a `Meltano` for a folder with a meltano.yml."""

    def __call__(self, project: Path) -> Meltano: ...


@pytest.fixture(scope="session")
def meltano_program() -> Iterator[Path]:
    """Meltano, imported once: it takes as long to import as to run."""
    with forked(["meltano"], PREPARE) as folder:
        yield folder / "meltano"


@pytest.fixture
def own_meltano(installed: Path, commands: Path, tmp_path: Path) -> dict[str, str]:
    """The variables with which Meltano has a state of its own, and the plugins that are shared.

    Files that a run passes to its plugins are not shared. Our own plugins are stand-ins (`forked`).
    """
    home = tmp_path / "meltano"
    for kind in ("extractors", "loaders"):
        for plugin in (installed / kind).iterdir():
            link = home / kind / plugin.name
            if plugin.name in OWN:
                (link / "venv" / "bin").mkdir(parents=True)
                (link / "venv" / "bin" / plugin.name).symlink_to(commands / plugin.name)
            else:
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(plugin)
    shutil.copy(installed / "meltano.db", tmp_path)
    return {
        "MELTANO_SYS_DIR_ROOT": str(home),
        "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
        "MELTANO_AUTO_INSTALL": "false",
        "NO_COLOR": "1",
    }


@pytest.fixture
def meltano_in(meltano_program: Path, own_meltano: dict[str, str], run: Run) -> MeltanoIn:
    """`meltano_in(folder)("run", …, variable=…)`: Meltano in a folder."""

    def in_folder(project: Path) -> Meltano:
        def start(*arguments: str, **settings: str) -> Ran:
            # Meltano copies its environment thousands of times a run: it gets what it needs alone.
            kept = {name: os.environ[name] for name in NEEDED if name in os.environ}
            known = [f"{name}={value}" for name, value in (kept | own_meltano | settings).items()]
            return run("env", "-i", *known, meltano_program, *arguments, cwd=project, timeout=300)

        return start

    return in_folder
