"""A newcomer's first hour: every command block of the pages, in order, in a fresh clone."""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import signal
import socket
import subprocess
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
import sandboxes
import toolbox
from example_files import companies, contacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)

PAGES = (
    "README.md",
    "docs/index.md",
    "docs/tap.md",
    "docs/target.md",
    "docs/schedules.md",
    "docs/sandbox.md",
    "examples/README.md",
)
ELSEWHERE = {
    "CONTRIBUTING.md": "runs the suite itself",
    "examples/airflow/README.md": "make test-airflow",
    "examples/dagster/README.md": "tests/end_to_end/test_dagster.py",
}
"""Pages with commands that are tried by other means."""

SERVES = re.compile(r"^(make sandbox|totango-sandbox serve)")
CRM = [
    {
        "type": "SCHEMA",
        "stream": "crm-companies",
        "key_properties": ["number"],
        "schema": {
            "type": "object",
            "properties": {
                "number": {"type": "string"},
                "name": {"type": "string"},
                "arr": {"type": "number"},
                "plan": {"type": "object", "properties": {"name": {"type": "string"}}},
            },
        },
    },
    {
        "type": "RECORD",
        "stream": "crm-companies",
        "record": {"number": "c-1", "name": "One", "arr": 12.5, "plan": {"name": "Pro"}},
    },
]


def blocks(page: str) -> list[str]:
    text = (toolbox.ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def script(path: Path, *lines: str) -> None:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: Any, commands: Path) -> Path:
    """The repository as git has it, with what is in the environments that are there already."""
    home: Path = tmp_path_factory.mktemp("newcomer") / "singer-totango"
    subprocess.run(["git", "clone", "--quiet", toolbox.ROOT, home], check=True, timeout=60)
    programs = home / ".venv" / "bin"
    programs.mkdir(parents=True)
    for path in toolbox.BIN.parent.iterdir():
        if path != toolbox.BIN:
            (home / ".venv" / path.name).symlink_to(path)
    for path in toolbox.BIN.iterdir():
        stand_in = commands / path.name
        (programs / path.name).symlink_to(stand_in if stand_in.exists() else path)
    (home / ".venvs").symlink_to(toolbox.ENVIRONMENTS)
    # Newer than the environment, it would have make install the clone into it.
    os.utime(home / "pyproject.toml", (0, 0))
    return home


@pytest.fixture(scope="module")
def brought(tmp_path_factory: Any, meltano_program: Path, forked_tool: Callable[..., Path]) -> Path:
    """The programs that a newcomer has on the PATH besides ours."""
    home: Path = tmp_path_factory.mktemp("brought")
    for name in ("target-jsonl", "tap-csv-folder"):
        (home / name).symlink_to(forked_tool(name))
    said = "\n".join(json.dumps(message) for message in CRM)
    script(home / "some-tap", f"printf '%s\\n' {shlex.quote(said)}")
    # The environments of the tests must stay as they are; `own_meltano` has the plugins in it.
    options = f"--dry-run --quiet --no-deps --no-build-isolation --python {toolbox.BIN}/python"
    script(home / "pipx", 'test "$*" = "install target-jsonl"')
    script(home / "pip", f'exec {toolbox.BIN}/uv pip "$@" {options}')
    script(
        home / "meltano",
        f'[ "$1" = install ] || exec {meltano_program} "$@"',
        'shift; for plugin; do ls -d "$MELTANO_SYS_DIR_ROOT"/*/"$plugin" || exit 1; done',
    )
    return home


@pytest.fixture(scope="module")
def service(tmp_path_factory: Any, commands: Path) -> Iterator[sandboxes.Sandbox]:
    home, seed = tmp_path_factory.mktemp("service"), "accounts=40,users=60,events=5"
    with sandboxes.sandbox(home, seed=seed, commands=commands) as running:
        yield running


def shell(
    script: str, folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


@contextmanager
def serving(block: str, port: int, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run a server until Ctrl-C, which it takes as a good end."""
    with subprocess.Popen(
        ["bash", "-c", block],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as served:
        assert served.stdout
        try:
            assert any(str(port) in line for line in iter(served.stdout.readline, ""))
            yield
        finally:
            os.killpg(served.pid, signal.SIGINT)
            served.communicate(timeout=30)


def free_port() -> int:
    """A port that no connection takes meanwhile: it is below those that systems give away."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as asked, suppress(OSError):
            asked.bind(("127.0.0.1", port))
            return port
    pytest.fail("no port is free")


def filled_in(block: str, service: sandboxes.Sandbox, port: int) -> str:
    """Put in what the pages leave to the reader: repository, token, service, and a free port."""
    token = {"app_token": service.token, "api_url": service.url}
    written = {"service_id": service.service_id, "tracking_url": service.url}
    written |= {"hub_url": service.url}
    for left_open, value in {
        "git clone <this repository> && cd singer-totango": "true",
        '"app_token": "…", "region": "us"': json.dumps(token)[1:-1],
        '"service_id": "SP-25001-01"': json.dumps(written)[1:-1],
        "8765": str(port),
        ".venv/bin/meltano": "meltano",
    }.items():
        block = block.replace(left_open, value)
    return block


def leave_rejects(service: sandboxes.Sandbox, folder: Path, environment: dict[str, str]) -> None:
    """Leave a rejected row, whose plan is too long, and settings under which it is none."""
    rows = [json.loads(json.dumps(message)) for message in CRM]
    rows[1]["record"]["plan"]["name"] = "long " * 300
    mapping = {
        "stream": "crm-companies",
        "object": "accounts",
        "account_id": "number",
        "attributes": {"Plan": "plan.name"},
    }
    settings = service.config(mappings=[mapping], rejects_path="rejects.singer")
    (folder / "target.json").write_text(json.dumps(settings), encoding="utf-8")
    lines = "\n".join(map(json.dumps, rows))
    shell(f"target-totango --config target.json <<'EOF'\n{lines}\nEOF", folder, environment)
    mended = settings | {"mappings": [mapping | {"attributes": {"ARR": "arr"}}]}
    (folder / "target.json").write_text(json.dumps(mended), encoding="utf-8")


def test_every_page_with_commands_is_tried() -> None:
    pages = {
        str(path.relative_to(toolbox.ROOT))
        for path in [
            *toolbox.ROOT.glob("*.md"),
            *toolbox.ROOT.glob("docs/**/*.md"),
            *toolbox.ROOT.glob("examples/**/*.md"),
        ]
        if "```sh\n" in path.read_text(encoding="utf-8")
    }
    assert pages == {*PAGES, *ELSEWHERE}


def test_commands_of_every_page_run(
    clone: Path,
    brought: Path,
    commands: Path,
    service: sandboxes.Sandbox,
    own_meltano: dict[str, str],
) -> None:
    port = free_port()
    environment = {
        **os.environ,
        **own_meltano,
        **service.environment("tap-totango", "target-totango"),
        "PATH": f"{brought}:{commands}:{toolbox.BIN}:{os.environ['PATH']}",
        "SANDBOX_ARGS": f"--port {port}",
    }
    ran: set[str] = set()
    for page in PAGES:
        if page == "docs/target.md":
            leave_rejects(service, clone, environment)
        new = [block for block in blocks(page) if block not in ran]
        ran.update(new)
        ready = [filled_in(block, service, port) for block in new]
        with ExitStack() as stack:
            for block in filter(SERVES.match, ready):
                stack.enter_context(serving(block, port, clone, environment))
            once = [block for block in ready if not SERVES.match(block)]
            done = shell("\n".join(["set -o pipefail", *once]), clone, environment)
        assert done.returncode == 0, page + done.stdout[-3000:] + done.stderr[-6000:]
        if page == "docs/index.md":
            assert companies().items() <= service.writable("accounts").items()
            assert contacts().items() <= service.writable("users").items()
