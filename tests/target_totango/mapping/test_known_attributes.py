"""Attribute definitions out of a file, whichever way they were written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from target_runs import held, record, schema

from target_totango.mapping.known_attributes import read_attributes
from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

RISK = {"object": "accounts", "api_name": "Renewal Risk", "type": "text", "display_name": None}
TITLE = {"object": "users", "api_name": "Job Title", "type": "text", "display_name": "Title"}
SCHEMA = {"type": "SCHEMA", "stream": "attributes", "schema": {}, "key_properties": []}


def lines(*messages: Any) -> str:
    return "".join(json.dumps(each) + "\n" for each in messages)


@pytest.mark.parametrize(
    "text",
    [
        lines(
            SCHEMA,
            *({"type": "RECORD", "record": each} for each in (RISK, TITLE)),
            {"type": "STATE"},
        ),
        lines(RISK, TITLE),
        lines(RISK) + "\n" + lines(TITLE).strip(),
        "\ufeff" + lines(RISK, TITLE),
        json.dumps([RISK, TITLE], indent=2),
        json.dumps({"list": [{"key_name": "Renewal Risk"}, {**TITLE, "entity": "user"}]}),
    ],
    ids=["singer", "lines", "a blank line", "a byte order mark", "a list", "as Totango answers"],
)
def test_files_that_hold_attributes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "attributes"
    path.write_text(text, encoding="utf-8")
    found = [(each.object, each.api_name) for each in read_attributes(str(path))]
    assert found == [("accounts", "Renewal Risk"), ("users", "Job Title")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no attribute"),
        ("[]", "no attribute"),
        (lines(SCHEMA, {"type": "STATE", "value": {}}), "no attribute"),
        ("Renewal Risk\n", "neither JSON nor JSON lines"),
        (None, "No such file"),
    ],
)
def test_files_that_hold_none(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "attributes"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError, match=words):
        read_attributes(str(path))


ROWS = (
    schema("accounts", "account_id", "renewal_risk", "plan", "odd_one"),
    record("accounts", account_id="a", renewal_risk="high", plan="Pro", odd_one="x"),
)


def test_without_a_token_the_file_of_the_tap_tells_the_names(
    deliver: Deliver, run_here: Callable[..., Any], service: Sandbox, tmp_path: Path
) -> None:
    service.set(unknown_attributes="text")
    service.load(attributes=[{"object": "accounts", "key_name": "Renewal Risk", "type": "text"}])
    config, path = tmp_path / "tap.json", tmp_path / "attributes.singer"
    config.write_text(json.dumps(service.config()))
    catalog = tmp_path / "catalog.json"
    tap = ("tap-totango", "--config", config)
    found = json.loads(run_here(*tap, "--discover").ok().stdout)
    for stream in found["streams"]:
        selected = stream["tap_stream_id"] == "attributes"
        stream["metadata"].append({"breadcrumb": [], "metadata": {"selected": selected}})
    catalog.write_text(json.dumps(found))
    path.write_text(run_here(*tap, "--catalog", catalog).ok().stdout, encoding="utf-8")
    done = deliver(*ROWS, app_token=None, attributes_path=str(path)).ok()
    assert held(service, "accounts") == {
        ("a",): {"Renewal Risk": "high", "Plan": "Pro", "odd_one": "x"}
    }
    assert "does not know yet: odd_one." in done.said
    assert done.said.count("is not known") == 0


def test_without_either_what_would_be_created_is_said_once(
    deliver: Deliver, service: Sandbox
) -> None:
    service.set(unknown_attributes="text")
    done = deliver(*ROWS, *ROWS, app_token=None).ok()
    assert held(service, "accounts")[("a",)] == {
        "renewal_risk": "high",
        "Plan": "Pro",
        "odd_one": "x",
    }
    assert (
        done.said.count("new attributes beside those that were meant: renewal_risk, odd_one.") == 1
    )
