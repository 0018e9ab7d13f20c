"""Each floor does the whole work, and the same work as the command that it stands beside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import commands, runs, servers
from benchmarks.measures import predecessor, start
from benchmarks.rows import accounts_file, activities_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.servers import Server

ROWS = 2_300


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with servers.serving(accounts=ROWS) as running:
        yield running


def records(home: Path) -> list[dict[str, Any]]:
    with runs.output(home).open() as lines:
        messages = [json.loads(line) for line in lines]
    return [one["record"] for one in messages if one["type"] == "RECORD"]


def test_tap_and_its_floor_write_the_same_records(server: Server, tmp_path: Path) -> None:
    attributes = ("Plan", "Create Date")
    runs.run(commands.tap(tmp_path, server, attributes=attributes), tmp_path)
    ours = [{name: one[name] for name in one if name != "_extra"} for one in records(tmp_path)]
    runs.run(commands.floor("tap", server.url, *attributes), tmp_path)
    # The tap reads from the middle outwards.
    assert records(tmp_path) == sorted(ours, key=lambda record: str(record["account_id"]))
    assert len(ours) == ROWS
    assert len(ours[0]) == 3 + len(attributes)


def delivered(bodies: Path) -> list[dict[str, Any]]:
    lines = bodies.read_text(encoding="utf-8").splitlines()
    rows = [row for line in lines for row in json.loads(line)["accounts"]]
    return sorted(rows, key=lambda row: str(row["id"]))


def test_target_and_its_hub_floor_deliver_the_same_rows(tmp_path: Path) -> None:
    source, found = accounts_file(tmp_path, ROWS), []
    for program in ("target", "floor"):
        bodies = tmp_path / program
        with servers.serving(record=bodies) as server:
            ours = commands.target(tmp_path, server, delivery="hub")
            floor = commands.floor("hub", server.url)
            runs.run(ours if program == "target" else floor, tmp_path, stdin=source)
            assert server.taken()["rows"] == ROWS
        found.append(delivered(bodies))
    assert found[0] == found[1]


@pytest.mark.parametrize("floor", [("tracking",), ("tracking", "--uvloop"), ("tracking_bare",)])
def test_tracking_floors_post_every_body(
    server: Server, tmp_path: Path, floor: tuple[str, ...]
) -> None:
    bodies = tmp_path / "bodies"
    lines = [f"sdr_s=SP-12345-01&sdr_o=acme-{number}".encode() for number in range(500)]
    bodies.write_bytes(b"".join(line + b"\n" for line in lines))
    server.taken()
    runs.run(commands.floor(floor[0], server.url, bodies, *floor[1:]), tmp_path)
    taken = server.taken()
    assert taken["tracking"] == 500
    assert taken["bytes"] == sum(map(len, lines))


def test_target_delivers_every_activity_where_there_is_no_uvloop(
    server: Server, tmp_path: Path
) -> None:
    server.taken()
    command = commands.target(tmp_path, server, ledger_path=str(tmp_path / "ledger.db"))
    source = activities_file(tmp_path, 500)
    runs.run(commands.without_uvloop(command), tmp_path, stdin=source)
    assert server.taken()["tracking"] == 500


def test_first_record_is_seen(server: Server, tmp_path: Path) -> None:
    assert start.first_record(commands.tap(tmp_path, server), tmp_path).seconds > 0


def test_program_that_fails_is_told_by_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(runs.RunError, match=r"exited with 1: .*no_such_module"):
        runs.run([commands.BIN / "python", "-c", "import no_such_module"], tmp_path)


def test_subjects_that_cannot_be_measured_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predecessor, "NEWEST_PYTHON", (3, 0))
    with pytest.raises(RuntimeError, match=r"needs Python 3\.0"):
        predecessor.installed()
