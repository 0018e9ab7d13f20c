"""What other people's taps and test suites send: read to the end, or refused in a sentence."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACCOUNTS, record, state

from totango_api.errors import TotangoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

SDK_STREAMS = sorted(
    (
        path
        for path in resources.files("singer_sdk.testing.target_test_streams").iterdir()
        if path.name.endswith(".singer")
    ),
    key=lambda path: path.name,
)
FATES = ("sent", "unchanged", "skipped", "deleted", "rejected", "uncertain", "undelivered")


def mappings_of(text: str) -> list[dict[str, Any]]:
    """Return mappings to accounts: the first key of a stream, or its first field, is the id."""
    found: dict[str, dict[str, Any]] = {}
    for message in map(json.loads, text.splitlines()):
        if message["type"] != "SCHEMA":
            continue
        keys = message.get("key_properties") or list(message["schema"].get("properties") or ())
        if keys:
            stream, key = message["stream"], keys if isinstance(keys, str) else keys[0]
            mapping = {"stream": stream, "object": "accounts", "account_id": key}
            found.setdefault(stream, mapping | {"unmapped": "include"})
    return list(found.values())


@pytest.mark.parametrize("path", SDK_STREAMS, ids=lambda path: path.name)
def test_streams_of_the_sdk_are_read_or_refused_in_a_sentence(deliver: Deliver, path: Any) -> None:
    text = path.read_text().strip("\n")
    done = deliver(
        text, mappings=mappings_of(text), unmapped_streams="ignore", accidental_ids="keep"
    )
    assert done.error is None or isinstance(done.error, TotangoError)
    assert "Traceback" not in done.said
    assert done.totals.get("received", 0) == sum(done.totals.get(fate, 0) for fate in FATES)
    if "before its SCHEMA" not in str(done.error):
        kinds = [json.loads(line)["type"] for line in text.splitlines()]
        assert done.totals.get("received", 0) == kinds.count("RECORD")


A = {"account_id": "A", "Plan": "p"}
ROW = {"type": "RECORD", "stream": "accounts", "record": A}
PLAN = {"account_id": {"type": "string"}, "Plan": {"type": ["null", "string"]}}


def announced(properties: Any = PLAN, **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    message = {"type": "SCHEMA", "stream": "accounts", "schema": schema, "key_properties": []}
    return message | more


READ: dict[str, list[Any]] = {
    "STATE first": [{"type": "STATE", "value": {"bookmarks": {}}}, announced(), ROW],
    "ACTIVATE_VERSION before SCHEMA": [
        {"type": "ACTIVATE_VERSION", "stream": "accounts", "version": 1},
        announced(),
        ROW,
    ],
    "ACTIVATE_VERSION of a stream that never comes": [
        {"type": "ACTIVATE_VERSION", "stream": "gone", "version": 1},
        announced(),
        ROW,
    ],
    "a key as a text": [announced(key_properties="account_id"), ROW],
    "no key": [{k: v for k, v in announced().items() if k != "key_properties"}, ROW],
    "null as key": [announced(key_properties=None), ROW],
    "bookmark_properties": [announced(bookmark_properties=["updated_at"]), ROW],
    "more in messages": [announced(), ROW | {"version": 5, "time_extracted": "2024-01-01T00:00Z"}],
    "no type in the SCHEMA": [announced() | {"schema": {"properties": PLAN}}, ROW],
    "no types at all": [announced({"account_id": {}, "Plan": {}}), ROW],
    "types of databases": [announced(PLAN | {"at": {"type": ["null", "date-time"]}}), ROW],
    "anyOf": [announced(PLAN | {"n": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}), ROW],
    "patternProperties": [
        announced({"account_id": PLAN["account_id"]})
        | {"schema": {"properties": {"account_id": {}}, "patternProperties": {"^P": {}}}},
        ROW,
    ],
    "multipleOf of a database": [
        announced(PLAN | {"n": {"type": "number", "multipleOf": 1e-38, "maximum": 1e38}}),
        ROW | {"record": A | {"n": 1.23456789}},
    ],
    "draft 4": [
        announced(
            PLAN | {"n": {"type": ["null", "number"], "exclusiveMaximum": True, "maximum": 9}}
        ),
        ROW,
    ],
    "the SCHEMA twice": [announced(), announced(), ROW],
    "the SCHEMA changes": [announced(PLAN | {"n": {}}), ROW, announced(), ROW],
    "a column that its SCHEMA lacks": [announced(), ROW | {"record": A | {"_sdc_x": 1}}],
    "blank lines": ["", announced(), "  ", ROW, "\t"],
    "carriage returns": [json.dumps(announced()) + "\r", json.dumps(ROW) + "\r"],
    "an empty table beside it": [
        announced(),
        announced({"account_id": {}}, stream="accounts_2"),
        ROW,
    ],
}
REFUSED: dict[str, tuple[list[Any], str]] = {
    "no properties and no mapping": ([announced() | {"schema": {}}, ROW], "account_id is missing"),
    "no JSON": ([announced(), "{"], "is not JSON"),
    "a log line": (["INFO starting", announced(), ROW], "Line 1 of the input is not JSON"),
    "a list": ([announced(), [1]], "Line 2"),
    "no type": ([{"stream": "accounts"}], "Line 1"),
    "a type that Singer has not": ([{"type": "HEARTBEAT"}], "HEARTBEAT"),
    "a RECORD before its SCHEMA": ([ROW], "before its SCHEMA"),
    "a RECORD without a record": ([announced(), {"type": "RECORD", "stream": "accounts"}], "line"),
    "a RECORD that is a list": ([announced(), ROW | {"record": [1]}], "has no stream or record"),
    "a SCHEMA without one": ([{"type": "SCHEMA", "stream": "accounts"}], "SCHEMA message"),
    "a SCHEMA that is none": ([announced({"account_id": {"type": 5}}), ROW], "not a JSON schema"),
    "keys that are numbers": ([announced(key_properties=[1])], "key_properties"),
    "a STATE without a value": ([announced(), {"type": "STATE"}], "STATE message"),
    "a BATCH": (
        [announced(), {"type": "BATCH", "stream": "accounts", "encoding": {}, "manifest": []}],
        "BATCH",
    ),
    "a reference to nowhere": ([announced({"account_id": {"$ref": "http://x/y"}}), ROW], "x/y"),
}


@pytest.mark.parametrize("name", READ)
def test_what_public_taps_send_is_read(deliver: Deliver, service: Sandbox, name: str) -> None:
    done = deliver(*READ[name], state(1), canary=False, unmapped_streams="ignore")
    assert done.error is None
    assert done.states[-1] == state(1)["value"]
    (account,) = service.dump("accounts")
    assert account["attributes"]["Plan"] == "p"


@pytest.mark.parametrize("name", REFUSED)
def test_what_nobody_can_read_is_refused_in_a_sentence(
    deliver: Deliver, service: Sandbox, name: str
) -> None:
    messages, words = REFUSED[name]
    before = [ACCOUNTS | {"stream": "first-accounts"}, record("first-accounts", account_id="F")]
    mappings = [{"stream": "first-accounts", "object": "accounts"}]
    done = deliver(*before, state(0), *messages, state(1), mappings=mappings, canary=False)
    assert isinstance(done.error, TotangoError)
    assert done.error.remedy or "map it" in str(done.error)
    assert words.replace("Line 1", "Line 4").replace("Line 2", "Line 5") in str(done.error)
    assert "Traceback" not in done.said
    # What was read before is delivered, and no STATE behind the fault goes out.
    assert [row["account_id"] for row in service.dump("accounts")] == ["F"]
    assert done.states == [state(0)["value"]]
