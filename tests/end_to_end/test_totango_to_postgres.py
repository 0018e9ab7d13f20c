"""Totango in a warehouse: keys, types, days and times, what changed, and what has vanished."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from postgres import postgres, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postgres import Postgres

TARGET = ("target-postgres", "meltanolabs-target-postgres==0.8.1")
OWN = {
    "key": "id",
    "request": "GET https://api.totango.com/api/v3/collections/tickets/rows?offset=0&count=2",
}
DAY, NOON = "2025-08-20", 1_755_691_200_000


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    place = programs()
    if place is None:
        pytest.skip("no PostgreSQL server is installed (initdb, pg_ctl, postgres, psql)")
    with postgres(place) as running:
        yield running


@pytest.fixture
def load(server: Postgres, forked_tool, pipe_here, config_file, tmp_path) -> Callable[..., None]:
    """`load(service, **settings)`: what the tap reads of a service, in PostgreSQL."""
    warehouse = config_file(
        server.config(database="postgres", default_target_schema="totango", hard_delete=True)
    )
    state = tmp_path / "state.json"

    def run(service: Any, **settings: Any) -> None:
        tap = ["tap-totango", "--config", config_file(service.config(**settings))]
        tap += ["--state", state] if state.exists() else []
        ran = pipe_here(tap, [forked_tool(*TARGET), "--config", warehouse]).ok()
        state.write_text(ran.stdout.strip().split("\n")[-1])

    return run


def account(identifier: str, active: int, **attributes: Any) -> dict[str, Any]:
    name = f"Company {identifier}"
    row = {"account_id": identifier, "account_name": name, "last_activity_time": active}
    return row | {"attributes": attributes}


def ticket(identifier: str, hours: Any, **more: Any) -> dict[str, Any]:
    attributes = {"Hours": hours, **more}
    row = {"collection_type": "tickets", "id": identifier, "account_id": "A"}
    return {**row, "attributes": attributes}


def test_tables_follow_totango(server: Postgres, load, sandbox) -> None:
    service = sandbox()
    attributes = [
        {"key_name": "Contract Value", "type": "number", "object": "accounts"},
        {"key_name": "Renewal", "type": "date", "object": "accounts"},
        {"key_name": "plan", "type": "text", "object": "accounts"},
        {"key_name": "Plan", "type": "text", "object": "accounts"},
    ]
    service.load(
        attributes=attributes,
        accounts=[
            account("A", NOON, **{"Contract Value": 1200.5, "Renewal": DAY, "Plan": "Größe „L“\n"}),
            account("B", NOON, plan="small", Plan="Large"),
        ],
        users=[
            {"account_id": name, "user_id": "ann@acme.example", "user_name": "Ann"} for name in "AB"
        ],
        collections=[ticket("1", 5), ticket("2", 6), ticket("3", 7)],
    )
    load(service, streams={"tickets": OWN})
    first, second = server.rows("SELECT * FROM totango.accounts ORDER BY account_id")
    assert first["contract_value"] == 1200.5
    assert first["renewal"].startswith(DAY)
    assert first["last_activity_time"].startswith("2025-08-20T12:00:00")
    assert {first[name] for name in ("plan", "plan_2")} == {"Größe „L“\n", None}
    assert {second[name] for name in ("plan", "plan_2")} == {"small", "Large"}
    assert len(server.rows("SELECT * FROM totango.users")) == 2

    newer = account("A", NOON + 60_000, plan="new")
    service.load(accounts=[newer])
    load(service)
    first, second = server.rows("SELECT * FROM totango.accounts ORDER BY account_id")
    assert "new" in {first["plan"], first["plan_2"]}
    assert {second[name] for name in ("plan", "plan_2")} == {"small", "Large"}

    service.reset()
    tickets = [ticket("1", 5), ticket("3", 7), ticket("4", 8, Seat="x")]
    service.load(attributes=attributes, accounts=[newer], collections=tickets)
    load(service, full_refresh_every_hours=0, streams={"tickets": OWN})
    assert [row["account_id"] for row in server.rows("SELECT * FROM totango.accounts")] == ["A"]
    rows = server.rows("SELECT id, hours, seat FROM totango.tickets ORDER BY id")
    assert [(row["id"], row["hours"], row["seat"]) for row in rows] == [
        *(("1", 5, None), ("3", 7, None), ("4", 8, "x"))
    ]
