"""A record becomes a write, or all of its faults at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping.compiler import ACCOUNT, USER, AttributeColumn, IdColumn, StreamMapping
from target_totango.mapping.convert import UnfitValueError, to_id
from target_totango.mapping.expressions import MISSING, Missing
from target_totango.models import ValidationError, WriteRequest
from totango_api.writing.validation import is_short_salesforce_id, length_flaws, salesforce_long_id

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

SKIP: Final = "skip"
CLEAR: Final = "clear"
REJECT: Final = "reject"
TRUNCATE: Final = "truncate"
CONVERT: Final = "convert"
KEEP: Final = "keep"

SALESFORCE_IDS: Final = frozenset({"account_id", "user_id", "parent_id"})
"""Ids that are often those of Salesforce."""


@dataclass(frozen=True)
class Policy:
    """What to do where a row is not quite as it should be.

    Attributes:
        null: `skip`, `clear` or `reject` a null. Empty text and empty lists count as null:
            what Totango does with an empty value is not known.
        too_long: `reject` or `truncate` a text that is longer than Totango keeps.
        salesforce: `reject`, `convert` or `keep` a 15-character Salesforce id.
    """

    null: str = SKIP
    too_long: str = REJECT
    salesforce: str = REJECT


@dataclass(slots=True)
class Checked:
    """A write and what was changed on the way, or the faults.

    Attributes:
        truncated: How many texts were cut, as asked.
        converted: How many Salesforce ids were converted, as asked.
        faulty: Attributes that have a fault, as `account.Plan`.
    """

    write: WriteRequest
    faults: list[ValidationError]
    truncated: int = 0
    converted: int = 0
    faulty: list[str] = field(default_factory=list)


def check(
    record: Mapping[str, Any],
    mapping: StreamMapping,
    policy: Policy,
    without: Collection[str] = (),
) -> Checked:
    """Return what a record asks for. With faults, the write is not to be used.

    Args:
        record: The record behind the stream maps.
        mapping: What becomes of it.
        policy: What to do with what is not quite right.
        without: Attributes to leave out, as `account.Plan`.
    """
    checked = check_ids(record, mapping, policy)
    for column in mapping.columns:
        if without and f"{column.scope}.{column.api_name}" in without:
            continue
        faults = len(checked.faults)
        text = _attribute(record, column, policy, checked)
        if text is not None:
            _attributes_of(checked.write, column.scope)[column.api_name] = text
        if len(checked.faults) > faults:
            checked.faulty.append(f"{column.scope}.{column.api_name}")
    return checked


def _attribute(
    record: Mapping[str, Any], column: AttributeColumn, policy: Policy, checked: Checked
) -> str | None:
    value = _read(record, column, checked.faults)
    if value is MISSING:
        return None
    if value is None or value == "" or value == []:
        return _null(column, policy, checked.faults)
    return _text(value, column, policy, checked)


def check_ids(record: Mapping[str, Any], mapping: StreamMapping, policy: Policy) -> Checked:
    """Return what a record is about, without its attributes."""
    checked = Checked(WriteRequest(mapping.object, ""), [])
    for identifier in mapping.ids:
        setattr(checked.write, identifier.name, _id(record, identifier, policy, checked))
    return checked


def _attributes_of(write: WriteRequest, scope: str) -> dict[str, str]:
    if scope == ACCOUNT:
        return write.account
    return write.user if scope == USER else write.collection


def _read(
    record: Mapping[str, Any], column: AttributeColumn | IdColumn, faults: list[ValidationError]
) -> Any | Missing:
    try:
        return column.source.read(record)
    except UnfitValueError as fault:  # a template that joins what is not text
        faults.append(ValidationError(column.source.label, fault.code, fault.message))
        return MISSING


def _id(record: Mapping[str, Any], column: IdColumn, policy: Policy, checked: Checked) -> str:
    value = _read(record, column, checked.faults)
    label = column.source.label
    if value is None or value is MISSING or value == "":
        checked.faults.append(ValidationError(label, "missing", f"{column.name} is missing"))
        return ""
    try:
        text = to_id(value, whole=column.whole)
    except UnfitValueError as fault:
        checked.faults.append(ValidationError(label, fault.code, f"{column.name}: {fault.message}"))
        return ""
    text = _salesforce(text, column.name, label, policy, checked)
    for flaw in column.flaws(text):
        checked.faults.append(ValidationError(label, flaw.code, f"{column.name} {flaw.message}"))
    return text


def _salesforce(text: str, name: str, label: str, policy: Policy, checked: Checked) -> str:
    if policy.salesforce == KEEP or name not in SALESFORCE_IDS or not is_short_salesforce_id(text):
        return text
    whole = salesforce_long_id(text)
    if policy.salesforce == CONVERT:
        checked.converted += 1
        return whole
    message = (
        f"{name} is a Salesforce id of 15 characters, and Totango asks for the one of 18: "
        f"{whole} (salesforce_ids: convert does this for all rows)"
    )
    checked.faults.append(ValidationError(label, "short Salesforce id", message))
    return text


def _null(column: AttributeColumn, policy: Policy, faults: list[ValidationError]) -> str | None:
    if policy.null == SKIP:
        return None
    if policy.null == CLEAR:
        return ""
    faults.append(ValidationError(column.source.label, "null", f"{column.api_name} has no value"))
    return None


def _text(value: Any, column: AttributeColumn, policy: Policy, checked: Checked) -> str | None:
    label = column.source.label
    try:
        text = column.convert(value)
    except UnfitValueError as fault:
        checked.faults.append(
            ValidationError(label, fault.code, f"{column.api_name}: {fault.message}")
        )
        return None
    if column.id_flaws is not None:
        text = _salesforce(text, column.api_name, label, policy, checked)
        for flaw in column.id_flaws(text):
            checked.faults.append(
                ValidationError(label, flaw.code, f"{column.api_name} {flaw.message}")
            )
        return text
    if len(text) > column.limit:
        if policy.too_long == TRUNCATE:
            checked.truncated += 1
            return text[: column.limit]
        for flaw in length_flaws(text, column.limit):
            checked.faults.append(
                ValidationError(label, flaw.code, f"{column.api_name}: {flaw.message}")
            )
    return text
