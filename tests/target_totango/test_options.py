"""Values of lists and lifecycles are compared with the options that definitions list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from target_runs import held, record, schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

ACCOUNTS = schema("accounts", "account_id", "Tier", "Interests", "Stage", keys=("account_id",))
DEFINITIONS = [
    {"key_name": "Tier", "type": "list", "object": "accounts", "options": ["Gold", "Silver"]},
    {
        "key_name": "Interests",
        "type": "multi_list",
        "object": "accounts",
        "options": ["Golf", "Wine", "Opera"],
    },
    {"key_name": "Stage", "type": "lifecycle", "object": "accounts", "options": ["Trial", "Live"]},
]
BAD = [
    {"Tier": "gold"},
    {"Tier": "Gold,Silver"},
    {"Interests": ["Golf", "Chess"]},
    {"Stage": "Gone"},
]


@pytest.fixture
def tenant(service: Sandbox) -> Sandbox:
    service.load(attributes=DEFINITIONS)
    return service


def account(**values: Any) -> dict[str, Any]:
    return record("accounts", account_id="a", **values)


@pytest.mark.parametrize("shown", ["texts", "objects"])
@pytest.mark.parametrize("values", BAD)
def test_a_value_that_is_no_option_is_a_reject_that_lists_those(
    deliver: Deliver, tenant: Sandbox, shown: str, values: dict[str, Any]
) -> None:
    tenant.set(options_shown=shown)
    [name] = values
    done = deliver(ACCOUNTS, account(**values))
    assert done.codes == [{(name, "unknown option")}]
    options = next(one["options"] for one in DEFINITIONS if one["key_name"] == name)
    assert ", ".join(options) in str(done.rejected)
    assert tenant.dump("accounts") == []


def test_options_go_out_one_or_several(deliver: Deliver, tenant: Sandbox) -> None:
    deliver(ACCOUNTS, account(Tier="Gold", Interests=["Wine", "Golf"], Stage="Live")).ok()
    [(_, found)] = held(tenant, "accounts").items()
    assert found == {"Tier": "Gold", "Interests": "Wine,Golf", "Stage": "Live"}


@pytest.mark.parametrize("takes", ["drop", "keep"])
def test_they_can_go_out_and_be_counted(deliver: Deliver, tenant: Sandbox, takes: str) -> None:
    tenant.set(unknown_option=takes)
    done = deliver(ACCOUNTS, account(Tier="Bronze"), unknown_options="warn", canary=False).ok()
    assert done.totals["unknown_options"] == 1
    assert "none of their options (see unknown_options)" in done.said
    [(_, found)] = held(tenant, "accounts").items()
    assert found == ({"Tier": "Bronze"} if takes == "keep" else {})


@pytest.mark.parametrize(
    ("settings", "shown"), [({"unknown_options": "ignore"}, "texts"), ({}, "off")]
)
def test_nobody_looks_where_nobody_is_to_or_where_none_are_listed(
    deliver: Deliver, tenant: Sandbox, settings: dict[str, Any], shown: str
) -> None:
    tenant.set(unknown_option="keep", options_shown=shown)
    done = deliver(ACCOUNTS, account(Tier="Bronze"), **settings).ok()
    assert "unknown_options" not in done.totals


def test_an_attribute_can_be_left_out_for_it(deliver: Deliver, tenant: Sandbox) -> None:
    row = account(Tier="Bronze", Stage="Live")
    done = deliver(ACCOUNTS, row, invalid_attributes="leave_out").ok()
    assert done.totals["left_out"] == 1
    [(_, found)] = held(tenant, "accounts").items()
    assert found == {"Stage": "Live"}


def test_options_are_read_from_a_file_of_the_tap_too(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "attributes.jsonl"
    kept = {"object": "accounts", "api_name": "Tier", "type": "list"}
    path.write_text(json.dumps({**kept, "_extra": {"options": ["Gold"]}}))
    done = deliver(ACCOUNTS, account(Tier="Bronze"), attributes_path=str(path))
    assert done.codes == [{("Tier", "unknown option")}]
