"""The commands that are measured: ours, as they are installed, and the floors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import runs
from benchmarks.rows import column
from benchmarks.service.attributes import NAMES

if TYPE_CHECKING:
    from collections.abc import Collection

    from benchmarks.servers import Server

BIN: Final = Path(sys.executable).parent
TAP: Final = BIN / "tap-totango"
TARGET: Final = BIN / "target-totango"

_BASE: Final = frozenset({"account_id", "account_name", "last_activity_time", "_extra"})
_COLUMNS: Final = frozenset(map(column, NAMES))

Command = list[str | Path]


def floor(name: str, *arguments: str | Path) -> Command:
    """Return the command of a floor."""
    return [sys.executable, Path(__file__).parent / "floors" / f"{name}.py", *arguments]


def tap(
    home: Path, server: Server, *, attributes: Collection[str] = (), **settings: Any
) -> Command:
    """Return a command that reads all accounts, having asked the service for its catalog.

    Args:
        home: Where configuration and catalog are written.
        server: What is read.
        attributes: Those whose columns are selected; all when there are none.
        settings: Settings of the tap.
    """
    config, catalog = home / "tap.json", home / "catalog.json"
    config.write_text(json.dumps(server.config(**settings)))
    found = json.loads(_discovered(home, config))
    wanted = {column(name) for name in attributes}
    for entry in found["streams"]:
        for one in entry["metadata"]:
            _select(entry["tap_stream_id"], one, wanted)
    catalog.write_text(json.dumps(found))
    return [TAP, "--config", config, "--catalog", catalog]


def _discovered(home: Path, config: Path) -> bytes:
    command: Command = [TAP, "--config", config, "--discover"]
    with (home / "log").open("wb") as log:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, check=False)
    if done.returncode:
        raise runs.failed(command, done.returncode, home)
    return done.stdout


def _select(stream: str, entry: dict[str, Any], wanted: set[str]) -> None:
    metadata, breadcrumb = entry["metadata"], entry["breadcrumb"]
    if not breadcrumb:
        metadata["selected"] = stream == "accounts"
    elif breadcrumb[-1] in _COLUMNS:
        metadata["selected"] = not wanted or breadcrumb[-1] in wanted
    elif breadcrumb[-1] not in _BASE:
        metadata["selected"] = False  # computed: the floors know attributes only


def target(home: Path, server: Server, **settings: Any) -> Command:
    """Return a command that writes what comes on standard input.

    The service forgets what is written, so no row can be read back.
    """
    config = home / "target.json"
    rejects = str(home / "rejects.singer")
    own = {"rejects_path": rejects, "canary": False}
    config.write_text(json.dumps(server.config(**own, **settings)))
    return [TARGET, "--config", config]


def without_uvloop(command: Command) -> Command:
    """Return a command of the target as it runs where uvloop is not installed."""
    return _changed(command, "sys.modules['uvloop'] = None")


def believing_every_response(command: Command) -> Command:
    """Return a command of the target that takes any response of 2xx of the hub for a receipt."""
    return _changed(
        command,
        "from totango_api.writing import hub; from totango_api.writing.hub_responses import *; "
        "hub.response_in = lambda *read, **region: HubResponse(status=200)",
    )


def _changed(command: Command, change: str) -> Command:
    """Return a command of the target in which a statement runs first."""
    program = (
        f"import sys; sys.argv[0] = 'target-totango'; {change}; "
        "from target_totango.__main__ import main; sys.exit(main())"
    )
    return [sys.executable, "-c", program, *command[1:]]
