"""One part of the rows: the union of all parts is the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_runs import ACCOUNTS, USERS, held, record, schema, state

from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

COUNT = 3
ROWS: list[dict[str, Any]] = [
    ACCOUNTS,
    USERS,
    *(record("accounts", account_id=f"a-{n}", Plan="Pro") for n in range(20)),
    *(record("users", account_id=f"a-{n % 20}", user_id=f"u-{n}", Title="T") for n in range(50)),
    *(record("users", account_id=None, user_id=f"lost-{n}") for n in range(10)),
    *(record("accounts", account_id=f"a b/{n}") for n in range(10)),
    state(1),
]


def test_the_parts_together_write_everything_once(deliver: Deliver, service: Sandbox) -> None:
    runs = [
        deliver(*ROWS, part=f"{n}/{COUNT}", canary=False, max_rejected=20).ok()
        for n in range(1, COUNT + 1)
    ]
    assert len(held(service, "accounts")) == 20
    assert len(held(service, "users")) == 50
    assert sum(run.totals["sent"] for run in runs) == 70
    assert sum(run.totals["rejected"] for run in runs) == 20
    assert len({str(one) for run in runs for one in run.rejected}) == 20
    for run in runs:
        assert run.totals["sent"] > 0
        assert run.totals["received"] == 90
        assert run.totals["skipped"] == 90 - run.totals["sent"] - run.totals["rejected"]
        assert run.states == [state(1)["value"]]


def test_what_is_no_part_is_refused(deliver: Deliver) -> None:
    done = deliver(ACCOUNTS, part="4/3")
    assert isinstance(done.error, SettingsError)


def test_users_of_other_parts_are_not_taken_for_gone(
    deliver: Deliver, service: Sandbox, tmp_path: Any
) -> None:
    users = schema("users", "account_id", "user_id", keys=("account_id", "user_id"))
    kept = {"ledger_path": str(tmp_path / "ledger.db"), "hard_delete": True, "canary": False}

    def version(number: int, *ids: str) -> list[dict[str, Any]]:
        rows = [record("users", account_id=one, user_id="u") | {"version": number} for one in ids]
        ended = {"type": "ACTIVATE_VERSION", "stream": "users", "version": number}
        return [users, *rows, ended]

    deliver(*version(1, *"abcdef"), **kept).ok()
    deliver(*version(2, *"abcde"), part="1/2", **kept).ok()
    assert set(held(service, "users")) >= {(one, "u") for one in "abcde"}


def test_a_user_is_deleted_by_the_run_of_its_part(deliver: Deliver, service: Sandbox) -> None:
    users = [record("users", account_id=f"a-{n}", user_id="u", Title="T") for n in range(6)]
    deliver(USERS, *users).ok()
    marked = schema("users", "account_id", "user_id", "_sdc_deleted_at")
    gone = [
        record("users", account_id=f"a-{n}", user_id="u", _sdc_deleted_at="2024-07-01T00:00:00Z")
        for n in range(6)
    ]
    runs = [
        deliver(marked, *gone, part=f"{n}/{COUNT}", hard_delete=True).ok()
        for n in range(1, COUNT + 1)
    ]
    assert held(service, "users") == {}
    assert sum(run.totals.get("deleted", 0) for run in runs) == 6
