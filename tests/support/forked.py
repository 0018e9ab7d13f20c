"""Commands of a Python program, each run in a fork of a process that has imported it already.

For programs that take as long to import as to run. A command has arguments, environment, folder
and standard streams of its own, as a process that was started has.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Forked:
    """Runs commands of one program, one after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self, *arguments: str, env: Mapping[str, str], cwd: Path, stdout: Path, stderr: Path
    ) -> int:
        """Run a command to its end, and return its exit code.

        Args:
            arguments: What follows the program's name on the command line.
            env: The whole environment.
            cwd: The folder to run in.
            stdout: A file for standard output.
            stderr: A file for standard error.
        """
        order = {"arguments": arguments, "env": dict(env), "cwd": str(cwd)}
        order["streams"] = [os.devnull, str(stdout), str(stderr)]
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def forked(module: str, prepare: str) -> Iterator[Forked]:
    """Import a program in a process of its own, and end whatever runs there afterwards.

    Args:
        module: The module that has the program's `main()`.
        prepare: Statements after which every command finds done what it would do itself.
    """
    with subprocess.Popen(
        [sys.executable, __file__, module, prepare],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield Forked(process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _serve(module: str, prepare: str) -> None:
    """Run what is ordered, a line for each command; answer with its exit code."""
    program = importlib.import_module(module)
    exec(prepare)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(json.loads(line))
            sys.exit(program.main())
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(order: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    for descriptor, path in enumerate(order["streams"]):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC if descriptor else os.O_RDONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv[1:] = order["arguments"]


if __name__ == "__main__":
    _serve(*sys.argv[1:])
