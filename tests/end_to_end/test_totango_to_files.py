"""Everything that a service holds, in files that other people's targets wrote."""

from __future__ import annotations

import csv
import json
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxes import Sandbox

SEED = "accounts=300,users=450,events=40"
KEYS = {"accounts": ("account_id",), "users": ("account_id", "user_id")}
UNTOLD = {"is_online", "_extra"}
"""Columns of which the sandbox's dump says nothing; nor does it of those that are computed."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    home = tmp_path_factory.mktemp("source")
    # Else the last day of a year cannot be asked for, and the audit log is not whole.
    with sandboxes.sandbox(home, "--set", "audit_year=exclusive", seed=SEED) as running:
        yield running


@pytest.fixture
def everything(run_here, config_file, tmp_path):
    """`everything(service)`: the tap's output with all four streams selected."""

    def read(service):
        config = config_file(service.config())
        catalog = json.loads(run_here("tap-totango", "--config", config, "--discover").ok().stdout)
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                # Two streams read what settings name, and here none does.
                named = stream["tap_stream_id"] not in {"teams", "import_jobs"}
                entry["metadata"]["selected"] = named
        path = tmp_path / "catalog.json"
        path.write_text(json.dumps(catalog))
        return run_here("tap-totango", "--config", config, "--catalog", path).ok()

    return read


def moment(value: Any) -> str | None:
    """A moment of the sandbox, epoch milliseconds or ISO text, in the tap's one form."""
    if value is None:
        return None
    if isinstance(value, int):
        read = datetime.fromtimestamp(value / 1000, UTC)
    else:
        read = datetime.fromisoformat(value).replace(tzinfo=UTC)
    return read.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def columns_of(ran, stream: str) -> dict[str, str]:
    """Column → API name of its attribute, or the column itself; from the SCHEMA message."""
    (schema,) = {
        json.dumps(message["schema"])
        for message in ran.messages()
        if message["type"] == "SCHEMA" and message["stream"] == stream
    }
    properties = json.loads(schema)["properties"]
    return {
        name: described.get("title", name)
        for name, described in properties.items()
        if not described.get("readOnly")
    }


def held(service, ran, kind: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """What the sandbox holds, by key, in the columns that the tap announced."""
    definitions = {
        row["key_name"]: row["type"] for row in service.dump("attributes") if row["object"] == kind
    }
    names = {key[0]: row["account_name"] for key, row in service.readable("accounts").items()}
    columns = columns_of(ran, kind)
    attributes = {column: title for column, title in columns.items() if title in definitions}
    assert set(attributes.values()) == set(definitions), "an attribute has no column"
    rows = {}
    for row, shown in zip(service.dump(kind), service.readable(kind).values(), strict=True):
        own = {
            "account_id": row["account_id"],
            "account_name": names[row["account_id"]],
            "last_activity_time": moment(row["last_activity_time"]),
        }
        if kind == "accounts":
            others = {"ofid", "sfid", "parent_id", "product_id"} - set(attributes.values())
            own |= {name: row.get(name) or row["attributes"].get(name) for name in others}
        if kind == "users":
            own |= {"user_id": row["user_id"], "user_name": shown["user_name"]}
            own |= {"first_activity_time": moment(row["first_activity_time"])}
        values = {
            column: row["attributes"].get(name)
            if definitions[name] != "date"
            else moment(row["attributes"].get(name))
            for column, name in attributes.items()
        }
        rows[tuple(row[key] for key in KEYS[kind])] = own | values
    assert set(columns) - UNTOLD == set(next(iter(rows.values()))), "a column is not compared"
    return rows


def by_key(records: list[dict[str, Any]], kind: str, ran) -> dict[tuple[str, ...], dict[str, Any]]:
    compared = set(columns_of(ran, kind)) - UNTOLD
    found = {tuple(record[key] for key in KEYS[kind]): record for record in records}
    assert len(found) == len(records), "a key came twice"
    return {
        key: {name: value for name, value in record.items() if name in compared}
        for key, record in found.items()
    }


def test_jsonl_files_hold_every_value(service, run, run_here, tool, config_file, tmp_path) -> None:
    read = run_here("tap-totango", "--config", config_file(service.config())).ok()
    settings = {"destination_path": str(tmp_path / "files"), "do_timestamp_file": False}
    target = tool("target-jsonl")
    wrote = run(target, "--config", config_file(settings), stdin=read.stdout).ok()
    assert "bookmarks" in json.loads(wrote.stdout), "the target did not pass the state on"
    for kind in KEYS:
        text = (tmp_path / "files" / f"{kind}.jsonl").read_text(encoding="utf-8")
        records = [json.loads(line) for line in text.split("\n") if line]
        assert by_key(records, kind, read) == held(service, read, kind)


def test_csv_files_hold_every_value(service, run, run_here, tool, config_file, tmp_path) -> None:
    read = run_here("tap-totango", "--config", config_file(service.config())).ok()
    settings = {"output_path": str(tmp_path / "files")}
    run(tool("target-csv"), "--config", config_file(settings), stdin=read.stdout).ok()
    for kind in KEYS:
        with (tmp_path / "files" / f"{kind}.csv").open(newline="", encoding="utf-8") as file:
            records = list(csv.DictReader(file))
        expected = {
            key: {name: as_cell(value) for name, value in row.items()}
            for key, row in held(service, read, kind).items()
        }
        found = {
            key: {name: as_cell(comparable(cell)) for name, cell in row.items()}
            for key, row in by_key(records, kind, read).items()
        }
        assert found == expected


def comparable(cell: str) -> Any:
    """CSV has text only, and this target spells dates in its own way."""
    try:
        return moment(datetime.fromisoformat(cell).astimezone(UTC).replace(tzinfo=None).isoformat())
    except ValueError:
        return cell


def as_cell(value: Any) -> str:
    """A value as text, whatever the spelling of a number."""
    text = "" if value is None else str(value)
    try:
        return repr(float(text))
    except ValueError:
        return text


def test_check_tap_accepts_the_output(service, everything, tool) -> None:
    read = everything(service)
    checker = tool("singer-check-tap")
    done = subprocess.run(
        [checker],
        input=read.stdout,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert "The output is valid" in said


def test_all_streams_arrive_whole(service, everything) -> None:
    read = everything(service)
    for kind in ("accounts", "users", "events", "attributes"):
        assert len(read.records(kind)) == len(service.dump(kind)), kind
    events = {record["event_id"] for record in read.records("events")}
    assert events == {event["id"] for event in service.dump("events")}


def test_stdout_is_singer_and_nothing_else(service, run, run_here, config_file) -> None:
    config = config_file(service.config())
    for arguments in ((), ("--discover",), ("--about", "--format", "json"), ("--test",)):
        start = run_here if arguments else run
        ran = start("tap-totango", "--config", config, *arguments).ok()
        if arguments in {("--discover",), ("--about", "--format", "json")}:
            json.loads(ran.stdout)
        else:
            kinds = {message["type"] for message in ran.messages()}
            assert kinds <= {"SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION"}
        assert service.token not in ran.stdout
        assert service.token not in ran.stderr
