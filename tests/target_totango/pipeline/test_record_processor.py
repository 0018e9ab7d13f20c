"""Rows on their way in: the quick look changes nothing of what becomes of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from hypothesis import event, given, settings
from hypothesis import strategies as st
from invented_rows import (
    ACCOUNTS,
    COMMON,
    KINDS,
    common,
    good_ids,
    ids,
    loose,
    policies,
    values,
)

from target_totango.mapping.plain import PlainRows
from target_totango.models import SourceStream
from target_totango.pipeline.record_processor import RecordProcessor
from target_totango.report import Report
from target_totango.singer.state import StateCheckpointer
from target_totango.singer.validation import RecordValidator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_totango.mapping.transform import Policy
    from target_totango.models import Row, ValidationError, WriteRequest

KEYS = ("account_id",)


class NothingIsPlain(PlainRows):
    """Leaves every row to the close look."""

    def write(self, record: Mapping[str, Any]) -> WriteRequest | None:
        del record
        return None


def taken(
    kind: type[PlainRows], schema: dict[str, Any], records: list[dict[str, Any]], policy: Policy
) -> tuple[list[Any], dict[str, Any]]:
    """What became of each record, and the counts."""
    seen: list[Any] = []
    validator, report = RecordValidator(schema, stream="s"), Report()

    def invalid(row: Row, faults: list[ValidationError]) -> None:
        seen.append((row.ticket, "invalid", row.write, row.faulty, faults))

    intake = RecordProcessor(
        ACCOUNTS,
        policy,
        gate=StateCheckpointer(seen.append),
        report=report,
        departures=SimpleNamespace(),  # type: ignore[arg-type]
        admission=SimpleNamespace(put=lambda row: seen.append((row.ticket, row.write, row.faulty))),  # type: ignore[arg-type]
        settler=SimpleNamespace(invalid=invalid),  # type: ignore[arg-type]
        faults=validator.faults,
        plain=kind(ACCOUNTS, policy, validator.plain, KEYS),
    )
    source = SourceStream("s", schema, KEYS)
    for record in records:
        intake.take({"type": "RECORD", "record": record}, source, record, record)
    return seen, report.as_dict()["streams"][0] if records else {}


records = st.one_of(
    st.fixed_dictionaries({}, optional={"account_id": ids} | dict.fromkeys(KINDS, values)),
    st.fixed_dictionaries({"account_id": good_ids}, optional=dict.fromkeys(KINDS, common)),
    st.just(COMMON),
    st.builds(lambda name, value: COMMON | {name: value}, st.sampled_from(sorted(COMMON)), values),
)


@settings(deadline=None)
@given(
    st.lists(records, max_size=4),
    st.dictionaries(st.sampled_from(sorted(KINDS)), loose),
    policies,
)
def test_what_becomes_of_a_row_does_not_depend_on_the_quick_look(
    rows: list[dict[str, Any]], stricter: dict[str, Any], policy: Policy
) -> None:
    schema = {"properties": {"account_id": {"type": "string"}} | KINDS | stricter}
    quick = taken(PlainRows, schema, rows, policy)
    event(f"invalid: {sum(each[1] == 'invalid' for each in quick[0])} of {len(rows)}")
    assert quick == taken(NothingIsPlain, schema, rows, policy)
