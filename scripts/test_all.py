"""The suite on every Python, from 3.11 on, that this machine has.

Looked for are `python3.11`, `python3.12` and so on, on the PATH and among pyenv's and uv's
installations. Each gets `.venvs/python3.X/`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from toolbox import ENVIRONMENTS, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

MINORS: Final = range(11, 20)
_INSTALLATIONS: Final = (".pyenv/versions/*/bin", ".local/share/uv/python/*/bin")
_SOUND: Final = "import ensurepip, ssl, sqlite3, sys, venv; print(*sys.version_info[:2], sep='.')"


def interpreters() -> dict[str, Path]:
    """Return version → an interpreter that runs and can make environments."""
    found: dict[str, Path] = {}
    for minor in MINORS:
        for candidate in _candidates(f"python3.{minor}"):
            if f"3.{minor}" not in found and _version(candidate) == f"3.{minor}":
                found[f"3.{minor}"] = candidate
    return found


def _candidates(name: str) -> Iterator[Path]:
    on_path = shutil.which(name)
    if on_path:
        yield Path(on_path)
    for pattern in _INSTALLATIONS:
        yield from sorted(Path.home().glob(f"{pattern}/{name}"), reverse=True)


def _version(interpreter: Path) -> str:
    """Return the version, or nothing when it does not run (a shim without an installation)."""
    done = subprocess.run([interpreter, "-c", _SOUND], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def main() -> int:
    """Run the suite everywhere; fail if it fails anywhere."""
    outcomes = {}
    for version, interpreter in interpreters().items():
        print(f"\n== Python {version}: {interpreter}", flush=True)
        home = (ENVIRONMENTS / f"python{version}").relative_to(ROOT)
        environment = {
            name: value for name, value in os.environ.items() if not re.match("MAKE|MFLAGS", name)
        }
        done = subprocess.run(
            ["make", "pytest", f"VENV={home}", f"PYTHON={interpreter}", *sys.argv[1:]],
            cwd=ROOT,
            env=environment,
            check=False,
        )
        outcomes[version] = done.returncode
    print()
    for version, code in outcomes.items():
        print(f"Python {version}: {'passed' if code == 0 else 'FAILED'}")
    return int(any(outcomes.values()) or not outcomes)


if __name__ == "__main__":
    sys.exit(main())
