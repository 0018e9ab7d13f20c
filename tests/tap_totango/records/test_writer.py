"""Lines encoded at once are those that the SDK writes, to the byte."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sandboxes
from hypothesis import example, given
from hypothesis import strategies as st
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib import RecordMessage
from tap_runs import catalog_of

from tap_totango.records.builder import Table
from tap_totango.records.writer import RecordEncoder

if TYPE_CHECKING:
    from pathlib import Path

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.sampled_from([Decimal("49000.10"), Decimal("1E+30"), Decimal("-0.0")])
    | st.text(max_size=6)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=4,
)
NAMES = st.text(max_size=8) | st.sampled_from(['say "so"', "back\\slash", "line\nend", "Größe", ""])


@given(
    names=st.lists(NAMES, min_size=1, max_size=5, unique=True),
    data=st.data(),
    version=st.none() | st.integers(0, 2**53),
    moment=st.datetimes(timezones=st.just(UTC)),
)
@example(names=["a"], data=None, version=None, moment=datetime(2026, 1, 31, tzinfo=UTC))
def test_to_the_byte(
    names: list[str], data: st.DataObject | None, version: int | None, moment: datetime
) -> None:
    row = st.tuples(*(VALUES for _ in names))
    rows = data.draw(st.lists(row, min_size=1, max_size=4)) if data else [("x",), (None,)]
    table = Table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)), len(rows))
    writer = MsgSpecWriter()
    expected = b"".join(
        bytes(
            writer.format_message(
                RecordMessage(
                    stream="a stream", record=record, version=version, time_extracted=moment
                )
            )
        )
        for record in table.records()
    )
    assert RecordEncoder("a stream", version).lines(table, moment) == expected


def test_the_command_writes_the_same_either_way(tmp_path: Path, tap: Any) -> None:
    seed = "accounts=300,users=300,events=60"
    with sandboxes.sandbox(
        tmp_path / "seeded", "--set", "ties=stable", "--set", "audit_year=exclusive", seed=seed
    ) as service:
        connector = service.dump("jobs")[0]["connector_id"]
        config = service.config(team_ids=[1], job_connectors=[{"id": connector}])
        catalog = catalog_of(tap("--discover", config=config).stdout)
        for entry in catalog.document["streams"]:
            catalog.select(entry["tap_stream_id"])
        at_once = tap(config=config, catalog=catalog).ok()
        # A stream map that changes nothing makes the SDK handle every record by itself.
        maps = {entry["tap_stream_id"]: {} for entry in catalog.document["streams"]}
        singly = tap(config=config, catalog=catalog, stream_maps=maps).ok()
    assert {name for name in maps if at_once.records(name)} == set(maps)
    assert without_times(at_once.stdout) == without_times(singly.stdout)


def without_times(stdout: str) -> list[str]:
    times = r'("version":\d+,)?"time_extracted":"[^"]*"'
    return [re.sub(times, "", line) for line in stdout.split("\n") if '"type":"RECORD"' in line]
