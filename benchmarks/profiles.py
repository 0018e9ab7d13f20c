"""Where the time goes that is left: samples of py-spy, summed up by module."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from benchmarks import commands, servers
from benchmarks.measures.tracking import IN_FLIGHT
from benchmarks.rows import accounts_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from benchmarks.commands import Command
    from benchmarks.scale import Scale

SAMPLES_A_SECOND: Final = "250"
SHOWN: Final = 12
FUNCTIONS: Final = 3
IMPORTS: Final = "imports at the start"
_IMPORTING: Final = "importlib._bootstrap"
_OWN: Final = ("tap_totango", "target_totango", "totango_api")


def pages(home: Path, scale: Scale) -> str:
    """Return a section for the tap, for tracking calls and for batches."""
    rows = scale.profiled
    source = accounts_file(home, rows)
    with servers.serving(accounts=rows) as server:
        subjects: dict[str, tuple[Command, Path | None]] = {
            "tap, all columns": (commands.tap(home, server), None),
            "target, tracking, an answer at once": (
                commands.target(home, server, max_in_flight=IN_FLIGHT),
                source,
            ),
            "target, Integration Hub": (
                commands.target(_folder(home, "hub"), server, delivery="hub"),
                source,
            ),
        }
        return "".join(
            f"### {subject}, {rows:,} rows\n\n{_profile(home, command, stdin)}\n"
            for subject, (command, stdin) in subjects.items()
        )


def _folder(home: Path, name: str) -> Path:
    folder = home / name
    folder.mkdir(exist_ok=True)
    return folder


def _profile(home: Path, command: Command, stdin: Path | None) -> str:
    samples, spy = home / "samples", commands.BIN / "py-spy"
    if not spy.exists():
        return f"py-spy is not installed for {sys.platform}.\n"
    options: Command = ["--gil", "--format", "raw", "--rate", SAMPLES_A_SECOND, "--output", samples]
    with (stdin or home / "log").open("rb") as source, (home / "spied").open("wb") as log:
        done = subprocess.run(
            [spy, "record", *options, "--", *command],
            stdin=source,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd=home,
            check=False,
        )
    if done.returncode:
        last = (home / "spied").read_text(errors="replace").strip().splitlines()[-1:]
        return f"py-spy could not look: {' '.join(last)[:300]}\n"
    return summary(samples.read_text().splitlines())


def summary(samples: Iterable[str]) -> str:
    """Return a table of the modules that took most samples.

    Args:
        samples: Lines of py-spy's raw format: frames from the outermost on, parted by
            semicolons, and the number of samples.
    """
    modules: Counter[str] = Counter()
    functions: dict[str, Counter[str]] = defaultdict(Counter)
    for line in samples:
        stack, _, count = line.rpartition(" ")
        module, function = _owner(stack.split(";"))
        modules[module] += int(count)
        functions[module][function] += int(count)
    total = modules.total() or 1
    rows = ["| share | where | most of it in |", "|---|---|---|"]
    for module, taken in modules.most_common(SHOWN):
        most = ", ".join(name for name, _ in functions[module].most_common(FUNCTIONS) if name)
        rows.append(f"| {100 * taken / total:.0f} % | {module} | {most} |")
    rest = total - sum(taken for _, taken in modules.most_common(SHOWN))
    rows.append(f"| {100 * rest / total:.0f} % | everything else | |")
    return "\n".join(rows) + "\n"


def _owner(frames: list[str]) -> tuple[str, str]:
    """Return the module and function that a sample is put down to.

    The standard library works for who calls it, and so does what is written in C, which has no
    frame. Libraries count whole, our packages by module.
    """
    if any(_IMPORTING in frame for frame in frames):
        return IMPORTS, ""
    for frame in reversed(frames):
        function, _, place = frame.partition(" (")
        path = place.rpartition(":")[0]
        package = path.split("/")[0].removesuffix(".py")
        if "/" in path and package not in sys.stdlib_module_names:
            return (path if package in _OWN else package), f"`{function}`"
    return "the interpreter", ""
