"""The SDK's own tests for taps, against a sandbox, and strict versions of those that cannot fail.

`valid_final_state` looks for progress markers where they can never be, and `primary_keys` puts
generators into a set: neither has ever failed for any tap. Its tests of single columns are left
out: each looks at the column that was tested first, and allows one type where a schema has several.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from in_process import run_main
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_runs import KEYS, Catalog, TapRun, catalog_of, strict

from tap_totango.cli import main
from tap_totango.tap import TapTotango

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandboxes import Sandbox

SEED = {"accounts": 300, "users": 500, "events": 120}

EMPTY = {"import_jobs", "teams"}
"""Streams that read what settings name, and here none does."""

# The suite makes a tap when it is collected, before any sandbox runs: that one asks nobody.
# The fixture below fills in the rest.
CONFIG: dict[str, Any] = {"app_token": "none yet", "discover_attributes": False}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory, commands: Path) -> Iterator[Sandbox]:
    """A sandbox with data as customers have it."""
    import sandboxes

    seed = ",".join(f"{name}={number}" for name, number in SEED.items())
    with sandboxes.sandbox(
        tmp_path_factory.mktemp("seeded"), seed=seed, commands=commands
    ) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def _configured(seeded: Sandbox) -> None:
    CONFIG.update(seeded.config(discover_attributes=False))


def _all_selected() -> dict[str, Any]:
    catalog = Catalog(TapTotango(config=dict(CONFIG)).catalog_dict)
    for entry in catalog.document["streams"]:
        catalog.select(entry["tap_stream_id"])
    return catalog.document


TestTap = get_tap_test_class(
    TapTotango,
    config=CONFIG,
    catalog=_all_selected(),
    parse_env_config=False,
    include_stream_attribute_tests=False,
    suite_config=SuiteConfig(max_records_limit=150, ignore_no_records_for_streams=[*EMPTY]),
)

# The sandbox's audit log reaches back over years of which no call gets the last day (test_lists).
STREAMS = sorted(KEYS.keys() - EMPTY - {"audit_log"})


@pytest.fixture(scope="module")
def everything(seeded: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> TapRun:
    """One run over all streams."""
    home = tmp_path_factory.mktemp("run")
    config, path = home / "config.json", home / "catalog.json"
    config.write_text(json.dumps(seeded.config()))

    def run(*options: str) -> TapRun:
        ended = run_main(main, "tap-totango", "--config", str(config), *options)
        return TapRun(ended.code, ended.stdout, ended.stderr)

    catalog = catalog_of(run("--discover").stdout)
    for stream in STREAMS:
        catalog.select(stream)
    path.write_text(json.dumps(catalog.document))
    return run("--catalog", str(path)).ok()


@pytest.mark.parametrize("stream", STREAMS)
def test_every_record_is_strictly_valid(everything: TapRun, stream: str) -> None:
    validator = strict(everything.schema(stream))
    records = everything.records(stream)
    assert records
    for record in records:
        assert not [fault.message for fault in validator.iter_errors(record)], record


@pytest.mark.parametrize("stream", STREAMS)
def test_every_record_has_every_column(everything: TapRun, stream: str) -> None:
    columns = set(everything.schema(stream)["properties"])
    assert {frozenset(record) for record in everything.records(stream)} == {frozenset(columns)}


@pytest.mark.parametrize("stream", SEED)
def test_every_key_once_and_none_missing(everything: TapRun, seeded: Sandbox, stream: str) -> None:
    names = {"event_id": "id"}
    there = [tuple(row[names.get(key, key)] for key in KEYS[stream]) for row in seeded.dump(stream)]
    assert sorted(everything.keys(stream)) == sorted(there)
    assert len(set(there)) == len(there) == SEED[stream]


def test_every_definition_once(everything: TapRun, seeded: Sandbox) -> None:
    there = [(row["object"], row["key_name"]) for row in seeded.dump("attributes")]
    assert sorted(everything.keys("attributes")) == sorted(there)


def test_the_last_state_holds_bookmarks_and_nothing_unfinished(everything: TapRun) -> None:
    for stream in SEED:
        bookmark = everything.bookmark(stream)
        key = "timestamp" if stream == "events" else "last_activity_time"
        values = [record[key] for record in everything.records(stream) if record[key]]
        assert bookmark["replication_key"] == key
        assert bookmark["replication_key_value"] == max(values)
        assert set(bookmark) <= {
            "replication_key",
            "replication_key_value",
            "columns",
            "full_refresh_at",
            "full_refresh_anchor",
        }
    assert everything.messages[-1]["type"] == "STATE"


def test_times_have_one_form(everything: TapRun) -> None:
    for stream in SEED:
        properties = everything.schema(stream)["properties"]
        times = [name for name, schema in properties.items() if schema.get("format") == "date-time"]
        assert times
        for record in everything.records(stream):
            for name in times:
                if record[name] is not None:
                    moment = datetime.fromisoformat(record[name])
                    assert record[name] == moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_schema_before_records_and_version_after_them(everything: TapRun) -> None:
    for stream in ("accounts", "users"):
        kinds = [one["type"] for one in everything.messages if one.get("stream") == stream]
        assert kinds[0] == "SCHEMA"
        assert kinds[-1] == "ACTIVATE_VERSION"
        versions = {
            one["version"]
            for one in everything.messages
            if one.get("stream") == stream and "version" in one
        }
        assert len(versions) == 1


def test_values_are_those_of_the_service(everything: TapRun, seeded: Sandbox) -> None:
    found = everything.by_key("accounts")
    titles = {
        schema["title"]: name
        for name, schema in everything.schema("accounts")["properties"].items()
    }
    kinds = {row["key_name"]: row["type"] for row in seeded.dump("attributes")}
    compared = 0
    for row in seeded.dump("accounts"):
        record = found[row["account_id"],]
        for name, value in row["attributes"].items():
            if name in titles and kinds[name] != "date":
                compared += 1
                assert str(record[titles[name]]) == str(value)
    assert compared > 1000
