"""Owners by their address: Totango asks for the full name of one of its users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_runs import held, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

FIRMS = schema("accounts", "account_id", "Success Manager", "Sales Manager", "Note")


@pytest.fixture
def tenant(service: Sandbox) -> Sandbox:
    service.load(
        attributes=[
            {"key_name": name, "type": "text", "object": "accounts"}
            for name in ("Sales Manager", "Success Manager", "Note")
        ],
        staff=[
            {"staff_id": "dana@firm.example", "staff_name": "Dana Reed", "attributes": {}},
            {"staff_id": "noa@firm.example", "staff_name": "Noa Cohen", "attributes": {}},
        ],
    )
    service.set(owner_values="known")
    return service


def test_an_address_becomes_the_full_name_and_a_name_stays(
    deliver: Deliver, tenant: Sandbox
) -> None:
    rows = [
        record("accounts", account_id="a", Success__Manager="DANA@firm.example"),
        record("accounts", account_id="b", Success__Manager="Noa Cohen", Note="x@firm.example"),
        record("accounts", account_id="c", Sales__Manager="noa@firm.example"),
    ]
    deliver(FIRMS, *rows).ok()
    assert held(tenant, "accounts") == {
        ("a",): {"Success Manager": "Dana Reed"},
        ("b",): {"Success Manager": "Noa Cohen", "Note": "x@firm.example"},
        ("c",): {"Sales Manager": "Noa Cohen"},
    }
    assert len(tenant.calls("staff")) == 1


def test_an_unknown_address_is_a_reject(deliver: Deliver, tenant: Sandbox) -> None:
    row = record("accounts", account_id="a", Success__Manager="who@firm.example")
    done = deliver(FIRMS, row)
    assert done.codes == [{("Success Manager", "unknown owner")}]
    assert tenant.dump("accounts") == []


def test_each_owner_of_a_row_is_looked_at(deliver: Deliver, tenant: Sandbox) -> None:
    dana, who, noa = "dana@firm.example", "who@firm.example", "Noa Cohen"
    tenant.set(owner_values="email")  # it takes whatever comes
    rows = [
        record("accounts", account_id="a", Success__Manager=dana, Sales__Manager="Nobody"),
        record("accounts", account_id="b", Success__Manager="Nobody", Sales__Manager=who),
        record("accounts", account_id="c", Success__Manager="Nobody", Sales__Manager="Nobody"),
        record("accounts", account_id="d", Success__Manager=who, Sales__Manager=who),
        record("accounts", account_id="e", Success__Manager=dana, Sales__Manager=noa),
    ]
    done = deliver(FIRMS, *rows, canary=False)
    assert done.codes == [
        {("Sales Manager", "unknown owner")},
        {("Sales Manager", "unknown owner"), ("Success Manager", "unknown owner")},
    ]
    [counts] = done.report["streams"]
    assert (counts["unchecked_owners"], counts["sent"], counts["rejected"]) == (2, 3, 2)
    assert held(tenant, "accounts")["a",]["Success Manager"] == "Dana Reed"


def test_names_alone_cost_no_call_and_an_unreadable_list_no_row(
    deliver: Deliver, tenant: Sandbox
) -> None:
    deliver(FIRMS, record("accounts", account_id="a", Success__Manager="Dana Reed")).ok()
    assert tenant.calls("staff") == []
    tenant.set(owner_values="email")
    tenant.chaos("403@staff")
    row = record("accounts", account_id="b", Success__Manager="dana@firm.example")
    done = deliver(FIRMS, row, canary=False).ok()
    assert "users of Totango cannot be read" in done.said
    assert len(tenant.dump("accounts")) == 2


def test_who_is_to_do_a_task_may_be_named_too(
    deliver: Deliver, tenant: Sandbox, tmp_path: object
) -> None:
    tenant.load(
        accounts=[{"account_id": "a", "attributes": {}}],
        activity_types=[{"activity_type_id": "renewal", "display_name": "Renewal"}],
    )
    mapping = {"stream": "todos", "object": "tasks", "activity_type": {"constant": "Renewal"}}
    fields = schema("todos", "id", "account_id", "title", "assignee", keys=("id",))
    names = ["Noa Cohen", "dana@firm.example", "other@firm.example"]
    rows = [
        record("todos", id=number, account_id="a", title="T", assignee=name)
        for number, name in enumerate(names)
    ]
    done = deliver(
        fields,
        *rows,
        record("todos", id=9, account_id="a", title="T", assignee="Nobody"),
        mappings=[mapping],
        ledger_path=f"{tmp_path}/ledger",
    )
    assert done.codes == [{("assignee", "unknown name")}]
    assert {task["assignee"] for task in tenant.dump("tasks")} == {
        "noa@firm.example",
        "dana@firm.example",
        "other@firm.example",
    }


@pytest.mark.parametrize(
    ("owner", "rule", "settings"),
    [
        ("Dana Reed", "", {}),
        ("dana@firm.example", "403@staff", {}),
        ("Dana Reed", "", {"app_token": None}),
        ("dana@firm.example", "", {"app_token": None}),
    ],
)
def test_an_owner_who_was_not_looked_for_is_counted_and_said(
    deliver: Deliver, tenant: Sandbox, owner: str, rule: str, settings: dict[str, Any]
) -> None:
    tenant.set(owner_values="email")
    tenant.chaos(*([rule] if rule else []))
    rows = [
        record("accounts", account_id="a", Success__Manager=owner, Sales__Manager=owner),
        record("accounts", account_id="b", Note="no owner"),
    ]
    done = deliver(FIRMS, *rows, canary=False, **settings).ok()
    assert done.totals["unchecked_owners"] == 1
    assert "1 row was sent with an owner who was not looked for" in done.said


def test_a_name_is_looked_for_where_the_list_was_read_anyway(
    deliver: Deliver, tenant: Sandbox
) -> None:
    rows = [
        record("accounts", account_id="a", Success__Manager="dana@firm.example"),
        record("accounts", account_id="b", Success__Manager="Noa Cohen"),
    ]
    assert "unchecked_owners" not in deliver(FIRMS, *rows).ok().totals


def test_staff_that_get_no_answer_hold_state(deliver: Deliver, tenant: Sandbox) -> None:
    tenant.chaos("503@staff")
    row = record("accounts", account_id="a", **{"Success Manager": "dana@firm.example"})
    done = deliver(FIRMS, row, state(1), max_retry_seconds=0)
    assert done.error is not None
    assert (done.states, done.rejects, held(tenant, "accounts")) == ([], [], {})
