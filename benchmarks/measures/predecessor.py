"""The other tap-totango, from PyPI, on the one page that it reads."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from benchmarks import commands, runs, servers, table
from benchmarks.measures.reading import counted
from benchmarks.service.attributes import DATES, NUMBERS, TEXTS

sys.path.insert(0, str(servers.ROOT / "scripts"))

import toolbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.scale import Scale
    from benchmarks.servers import Server
    from benchmarks.table import Line

VERSION: Final = "0.2.0"
"""The last one that takes any `api_url`."""
NEWEST_PYTHON: Final = (3, 11)
PAGE: Final = 1000
FIELDS: Final = [
    {"type": kind, "attribute": name}
    for kind, names in (
        ("string_attribute", TEXTS),
        ("number_attribute", NUMBERS),
        ("date_attribute", DATES),
    )
    for name in names
]


def lines(home: Path, scale: Scale) -> Iterator[Line]:
    """Read one page with both; and so many rows on one page, which Totango has not."""
    try:
        program = installed()
    except RuntimeError as error:
        yield table.Line(f"tap-totango {VERSION} of PyPI", 0, "", f"left out: {error}")
        return
    yield _beside(home, program, PAGE, scale.few, "one page")
    where = "for it on one page, larger than any of Totango"
    yield _beside(home, program, scale.read // 2, scale.few, where)


def _beside(home: Path, program: Path, rows: int, rounds: int, where: str) -> Line:
    with servers.serving(accounts=rows, page_max=rows) as server:
        theirs, ours = _command(program, home, server, rows), commands.tap(home, server)
        runs.run(theirs, home)
        programs = {
            "ours": lambda: counted(runs.run(ours, home), home, rows),
            "theirs": lambda: counted(runs.run(theirs, home), home, rows),
        }
        found = runs.alternating(rounds, programs)
    return table.Line(
        f"tap beside tap-totango {VERSION} of PyPI: {rows:,} accounts, {where}",
        rounds,
        table.speed(rows, found["ours"]),
        f"{VERSION}: {table.speed(rows, found['theirs'])}",
        runs.speed_ratio(found["ours"], found["theirs"]),
        "times its speed",
    )


def installed() -> Path:
    """Return the program, in an environment of its own.

    Raises:
        RuntimeError: If it cannot be had here.
    """
    if sys.version_info[:2] > NEWEST_PYTHON:
        msg = f"it needs Python {'.'.join(map(str, NEWEST_PYTHON))} or older."
        raise RuntimeError(msg)
    return toolbox.tool("tap-totango", f"tap-totango=={VERSION}", "setuptools<81")


def _command(program: Path, home: Path, server: Server, rows: int) -> commands.Command:
    config, catalog = home / "other.json", home / "other-catalog.json"
    settings = {"accounts_terms": [], "accounts_fields": FIELDS, "accounts_count": rows}
    config.write_text(json.dumps({"auth_token": "none", "api_url": server.url, **settings}))
    command: commands.Command = [program, "--config", config]
    found = json.loads(subprocess.check_output([*command, "--discover"], stderr=subprocess.DEVNULL))
    for entry in found["streams"]:
        for one in entry["metadata"]:
            if not one["breadcrumb"]:
                one["metadata"]["selected"] = entry["tap_stream_id"] == "accounts"
    catalog.write_text(json.dumps(found))
    return [*command, "--catalog", catalog]
