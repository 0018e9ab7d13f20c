"""A Salesforce id, documented as not editable, is compared where a search shows one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_runs import record, schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

FIRMS = schema("accounts", "account_id", "account_name", "sfid", keys=("account_id",))
LONG, OTHER = "0015000000Gv7qJAAR", "0015g00000ABCDEAA2"
VERIFIED: dict[str, Any] = {"verify": "all", "verify_timeout": 1}


def firm(sfid: str = LONG) -> dict[str, Any]:
    return record("accounts", account_id="a", account_name="Acme", sfid=sfid)


def hold(service: Sandbox, sfid: str) -> None:
    service.load(accounts=[{"account_id": "a", "attributes": {"sfid": sfid}}])


@pytest.mark.parametrize("column", ["null", "error"])
def test_where_none_is_shown_it_is_said(deliver: Deliver, service: Sandbox, column: str) -> None:
    service.set(unknown_field_attribute=column)
    done = deliver(FIRMS, firm(), **VERIFIED).ok()
    assert done.totals["verified"] == 1
    assert "sfid that 1 row of accounts carried cannot be verified" in done.said
    assert service.dump("accounts")[0]["attributes"] == {}


@pytest.mark.parametrize("held", [None, LONG, LONG[:15]])
def test_where_the_same_is_shown_nothing_is_said(
    deliver: Deliver, service: Sandbox, held: str | None
) -> None:
    if held is None:
        service.set(sfid_writes="store")
    else:
        hold(service, held)
    done = deliver(FIRMS, firm(), **VERIFIED).ok()
    assert done.totals["verified"] == 1
    assert "cannot be verified" not in done.said


def test_where_another_is_shown_the_row_is_not_as_it_was_sent(
    deliver: Deliver, service: Sandbox
) -> None:
    hold(service, OTHER)
    done = deliver(FIRMS, firm(), **VERIFIED)
    assert done.codes == [{("sfid", "different")}]


@pytest.mark.usefixtures("clock")
def test_another_one_ends_no_run_at_its_first_row(deliver: Deliver, service: Sandbox) -> None:
    hold(service, OTHER)
    assert deliver(FIRMS, firm()).ok().totals["sent"] == 1
    # Now that nothing else would change.
    assert deliver(FIRMS, firm()).ok().totals["sent"] == 1
