"""The SDK's own tests for targets, against a sandbox.

Left out, because they ask for the opposite of what this target promises:

- TargetInvalidSchemaTest: a SCHEMA without properties has to fail. Here it means that records
  may hold anything, as JSON Schema says.
- TargetRecordMissingKeyProperty: a record without its key has to end the run. Here it is
  rejected with the reason, and the others are delivered (see test_target.py).
- TargetMultipleStateMessages: commented out in the SDK itself, which fails it; it also asks for
  every STATE, and here they are coalesced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.suites import SingerTestSuite
from singer_sdk.testing.target_tests import (
    TargetArrayData,
    TargetCamelcaseComplexSchema,
    TargetCamelcaseTest,
    TargetCliPrintsTest,
    TargetDuplicateRecords,
    TargetEncodedStringData,
    TargetNoPrimaryKeys,
    TargetOptionalAttributes,
    TargetPrimaryKeyUpdates,
    TargetRecordBeforeSchemaTest,
    TargetRecordMissingOptionalFields,
    TargetSchemaNoProperties,
    TargetSchemaUpdates,
    TargetSpecialCharsInAttributes,
)

from target_totango.target import TargetTotango

if TYPE_CHECKING:
    from pathlib import Path

    from sandboxes import Sandbox


def _mapping(stream: str, account_id: Any) -> dict[str, Any]:
    return {"stream": stream, "object": "accounts", "account_id": account_id, "order": 1}


# Filled by the fixture below: the suite takes its configuration when it is collected.
CONFIG: dict[str, Any] = {}
MAPPINGS = [
    _mapping("test_object_schema_*", {"constant": "an-account"}),
    _mapping("TestCamelcase", "Id"),
    _mapping("ForecastingTypeToCategory", "Id"),
    _mapping("test:SpecialChars*", "_id"),
    {**_mapping("*", "id"), "order": 2},
]


@pytest.fixture(autouse=True)
def _configured(service: Sandbox, tmp_path: Path) -> None:
    service.set(unknown_attributes="text")
    CONFIG.update(service.config(mappings=MAPPINGS, rejects_path=str(tmp_path / "rejects.singer")))


_suite = SingerTestSuite(
    kind="target",
    tests=[
        TargetArrayData,
        TargetCamelcaseComplexSchema,
        TargetCamelcaseTest,
        TargetCliPrintsTest,
        TargetDuplicateRecords,
        TargetEncodedStringData,
        TargetNoPrimaryKeys,
        TargetOptionalAttributes,
        TargetPrimaryKeyUpdates,
        TargetRecordBeforeSchemaTest,
        TargetRecordMissingOptionalFields,
        TargetSchemaNoProperties,
        TargetSchemaUpdates,
        TargetSpecialCharsInAttributes,
    ],
)

TestTarget = get_target_test_class(
    TargetTotango,
    config=CONFIG,
    custom_suites=[_suite],
    include_target_tests=False,
    parse_env_config=False,
)
