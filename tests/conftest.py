"""What every test may ask for: sandboxes, our commands as processes, other people's programs."""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import signal
import subprocess
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import sandboxes
import toolbox
from forked import forked
from hypothesis import HealthCheck, settings
from in_process import run_main
from ran import Ran

from totango_api import redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from sandboxes import Sandbox

OUR_PREFIXES = ("TAP_TOTANGO_", "TARGET_TOTANGO_", "TOTANGO_SANDBOX_", "MELTANO_")
SECONDS = 120
SLOW = {"end_to_end", "benchmarks", "browser"}
"""Folders of which every test is marked `slow`."""

GARBAGE_THRESHOLD = 20_000
"""Objects that come on top before garbage is looked for, which takes a tenth of the time else."""

PROGRAMS = ("tap-totango", "target-totango", "totango-sandbox")
shared = ExitStack()
SHARED_COMMANDS = "SUITE_COMMANDS"
"""The variable that tells workers where `commands` are."""
IMPORTS = "import tap_totango.cli, target_totango.cli, totango_sandbox.server, totango_sandbox.seed"

# Hundreds of programs are started: each would compile what it imports, and throw it away.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Where the suite runs under nohup, it and the programs that it starts would never see a hangup.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# A developer's own settings stay out of the tests.
for name in [name for name in os.environ if name.startswith(OUR_PREFIXES)]:
    del os.environ[name]

# Every run asks for the version of its plugin, which means reading files of the environment.
metadata.version = functools.cache(metadata.version)

# How long an example takes says how busy the machine is, nothing about the code.
settings.register_profile(
    "suite", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
# For changes to what properties are tried on: make pytest PYTEST_ARGS=--hypothesis-profile=long
settings.register_profile("long", settings.get_profile("suite"), max_examples=1_000)
settings.load_profile("suite")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Everything collected stays: looking for garbage in it would take a quarter of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(GARBAGE_THRESHOLD)
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs other people's programs or many processes is slow, and comes first.

    Before all others come those files that may take longer than any. What is left in the end is
    short, and no worker waits long for the other.
    """
    minutes: dict[Path, float] = {}
    for item in items:
        if SLOW & set(item.path.parts):
            item.add_marker(pytest.mark.slow)
        if timeout := item.get_closest_marker("timeout"):
            minutes[item.path] = timeout.args[0] / 60
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (-minutes.get(item.path, 0), item.path not in slow))


@pytest.fixture(autouse=True)
def _secrets_forgotten() -> Iterator[None]:
    """Secrets of one test are ordinary words of the next: "wrong", say."""
    known = set(redaction._secrets)
    yield
    redaction._secrets.clear()
    redaction._secrets.update(known)


@pytest.fixture(scope="session")
def tool() -> Callable[..., Path]:
    """`tool(executable, *requirements)`: the path of a third-party program, installed on demand."""
    return toolbox.tool


@pytest.fixture(scope="session")
def forked_tool() -> Iterator[Callable[..., Path]]:
    """The same for a program in Python, which is imported once: see `forked`."""
    with ExitStack() as stack:

        @functools.cache
        def start(name: str, *requirements: str) -> Path:
            program = toolbox.tool(name, *requirements)
            return stack.enter_context(forked([name], python=program.parent / "python")) / name

        yield start


def pytest_sessionstart(session: pytest.Session) -> None:
    """Where there will be workers, have one folder of commands for all of them."""
    config = session.config
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        os.environ[SHARED_COMMANDS] = str(shared.enter_context(forked(PROGRAMS, IMPORTS)))
        config.add_cleanup(shared.close)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    """End the commands of all workers before coverage is summed up: theirs belongs to it."""
    result = yield
    shared.close()
    return result


@pytest.fixture(scope="session")
def commands() -> Iterator[Path]:
    """A folder with our commands, each of which starts in a tenth of the time: see `forked`."""
    if shared := os.environ.get(SHARED_COMMANDS):
        yield Path(shared)
    else:
        with forked(PROGRAMS, IMPORTS) as folder:
            yield folder


class SandboxFactory(Protocol):
    """Starts a sandbox that lives until the test ends."""

    def __call__(self, *arguments: str, seed: str = "none", rate_limit: int = 0) -> Sandbox: ...


@pytest.fixture(scope="session")
def _shared_sandbox(tmp_path_factory: pytest.TempPathFactory, commands: Path) -> Iterator[Sandbox]:
    with sandboxes.sandbox(tmp_path_factory.mktemp("sandbox"), commands=commands) as running:
        yield running


@pytest.fixture
def service(_shared_sandbox: Sandbox) -> Sandbox:
    """A sandbox as it starts: empty, no switch set, no fault, no rate limit."""
    _shared_sandbox._ask("/sandbox/reset", {"settings": True})
    return _shared_sandbox


@pytest.fixture
def sandbox(tmp_path: Path, commands: Path) -> Iterator[SandboxFactory]:
    """`sandbox(*arguments, seed=…, rate_limit=…)`: one of the test's own, empty unless seeded."""
    with ExitStack() as stack:
        started = 0

        def start(*arguments: str, seed: str = "none", rate_limit: int = 0) -> Sandbox:
            nonlocal started
            started += 1
            home = tmp_path / f"sandbox-{started}"
            return stack.enter_context(
                sandboxes.sandbox(
                    home, *arguments, seed=seed, rate_limit=rate_limit, commands=commands
                )
            )

        yield start


@pytest.fixture
def config_file(tmp_path: Path) -> Callable[[Mapping[str, Any]], Path]:
    """`config_file(settings)`: the path of a JSON file that holds them."""
    written = 0

    def write(settings: Mapping[str, Any]) -> Path:
        nonlocal written
        written += 1
        path = tmp_path / f"config-{written}.json"
        path.write_text(json.dumps(settings))
        return path

    return write


class Run(Protocol):
    """Runs a command to its end."""

    def __call__(
        self,
        *command: str | Path,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = SECONDS,
    ) -> Ran: ...


@pytest.fixture
def resolved(request: pytest.FixtureRequest) -> Callable[[Sequence[str | Path]], list[str]]:
    """`resolved(command)`: our own commands by name, everything else as given."""

    def find(command: Sequence[str | Path]) -> list[str]:
        program, *arguments = map(str, command)
        if program in PROGRAMS:
            program = str(request.getfixturevalue("commands") / program)
        elif "/" not in program and (toolbox.BIN / program).exists():
            program = str(toolbox.BIN / program)
        return [program, *arguments]

    return find


@pytest.fixture
def run(tmp_path: Path, resolved: Callable[[Sequence[str | Path]], list[str]]) -> Run:
    """`run("tap-totango", "--config", path)`: a command in an empty folder, as a user runs it."""

    def start(
        *command: str | Path,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = SECONDS,
    ) -> Ran:
        done = subprocess.run(
            resolved(command),
            input=stdin,
            env={**os.environ, **(env or {})},
            cwd=cwd or tmp_path,
            timeout=timeout,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return start


@pytest.fixture
def run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same for `tap-totango` and `target-totango`, but in this process, which starts none.

    What only a process can show is run with `run`: exit codes, signals, standard streams.
    """

    def start(
        *command: str | Path,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = SECONDS,
    ) -> Ran:
        del timeout
        program, *arguments = map(str, command)
        module = importlib.import_module(f"{program.replace('-', '_')}.cli")
        with monkeypatch.context() as changed:
            changed.chdir(cwd or tmp_path)
            for name, value in (env or {}).items():
                changed.setenv(name, value)
            ended = run_main(module.main, program, *arguments, stdin=stdin)
        return Ran(ended.code, ended.stdout, ended.stderr)

    return start


class Pipe(Protocol):
    """Runs commands as a shell's `a | b | c` does."""

    def __call__(self, *commands: Sequence[str | Path], timeout: float = SECONDS) -> Ran: ...


@pytest.fixture
def pipe(tmp_path: Path, resolved: Callable[[Sequence[str | Path]], list[str]]) -> Pipe:
    """`pipe([tap, …], [target, …])`: the last one's stdout, all exit codes, all stderr."""

    def start(*commands: Sequence[str | Path], timeout: float = SECONDS) -> Ran:
        logs = [tmp_path / f"stderr-{number}" for number in range(len(commands))]
        processes: list[subprocess.Popen[str]] = []
        with ExitStack() as stack:
            for command, log in zip(commands, logs, strict=True):
                processes.append(
                    subprocess.Popen(
                        resolved(command),
                        stdin=processes[-1].stdout if processes else subprocess.DEVNULL,
                        stdout=subprocess.PIPE,
                        stderr=stack.enter_context(log.open("w")),
                        cwd=tmp_path,
                        encoding="utf-8",
                    )
                )
            # Only the processes may hold the inner ends, or none would see the other one die.
            for process in processes[:-1]:
                assert process.stdout
                process.stdout.close()
            try:
                stdout, _ = processes[-1].communicate(timeout=timeout)
                codes = tuple(process.wait(timeout) for process in processes)
            finally:
                for process in processes:
                    process.kill()
        stderr = "\n".join(log.read_text() for log in logs)
        return Ran(codes[-1], stdout, stderr, codes)

    return start


OWN = {"tap-totango", "target-totango"}


@pytest.fixture
def pipe_here(run: Run, run_here: Run) -> Pipe:
    """The same as `pipe`, one after the other; our own commands run in this process."""

    def start(*commands: Sequence[str | Path], timeout: float = SECONDS) -> Ran:
        done: list[Ran] = []
        for command in commands:
            here = run_here if str(command[0]) in OWN else run
            given = done[-1].stdout if done else ""
            done.append(here(*command, stdin=given, timeout=timeout))
        codes = tuple(one.returncode for one in done)
        return Ran(codes[-1], done[-1].stdout, "\n".join(one.stderr for one in done), codes)

    return start
