"""Real tables through other people's taps: what is in PostgreSQL is what is in Totango."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from invented_tables import ACCOUNT_COLUMNS, USER_COLUMNS, accounts, literal, table, users
from postgres import postgres, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postgres import Postgres

MELTANO_LABS = ("meltanolabs-tap-postgres==0.10.0",)
# Its metadata says "Python below 3.10", which is long untrue.
PIPELINEWISE = ("pipelinewise-tap-postgres==2.1.0",)

# What Totango should hold --------------------------------------------------------------------


def expected(value: Any) -> Any:
    """A value as the sandbox dumps it, but for the form of dates and JSON: see `as_dumped`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=value.tzinfo or dt.UTC)
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time(), dt.UTC)
    return value


def as_dumped(value: Any, like: Any) -> Any:
    """What the sandbox dumped, in the form of what is expected."""
    if isinstance(like, dt.datetime) and isinstance(value, str):
        moment = dt.datetime.fromisoformat(value)
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC)
    if isinstance(like, dict) and isinstance(value, str):
        return json.loads(value)
    if isinstance(like, float) and isinstance(value, int):
        return float(value)
    return value


def assert_holds(
    found: dict[str, Any], row: dict[str, Any], columns: dict[str, tuple[str, str, str]]
) -> None:
    wanted = {
        attribute: expected(row[name])
        for name, (_, attribute, _) in columns.items()
        if row[name] is not None
    }
    attributes = found["attributes"]
    assert set(attributes) == set(wanted)
    assert {name: as_dumped(attributes[name], like) for name, like in wanted.items()} == wanted


def assert_copied(service: Any, tables: Tables) -> None:
    """Every row and every value is there, and nothing else."""
    held = {row["account_id"]: row for row in service.dump("accounts")}
    assert set(held) == {row["account_id"] for row in tables.accounts}
    for row in tables.accounts:
        assert held[row["account_id"]]["account_name"] == row["account_name"]
        assert_holds(held[row["account_id"]], row, ACCOUNT_COLUMNS)
    people = {(row["account_id"], row["user_id"]): row for row in service.dump("users")}
    assert set(people) == {(row["account_id"], row["email"]) for row in tables.users}
    for row in tables.users:
        assert people[row["account_id"], row["email"]]["user_name"] == row["name"]
        columns = USER_COLUMNS | {"email": ("text", "Email", "text")}
        assert_holds(people[row["account_id"], row["email"]], row, columns)
    assert service.dump("log") == [], "the sandbox had to drop something"


# The two ends --------------------------------------------------------------------------------


class Tables:
    """The two tables, in a server of their own, and what each tap discovered in it."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.catalogs: dict[tuple[str, ...], str] = {}
        self.accounts, self.users = accounts(), users()
        self.fill()

    def fill(self) -> None:
        """Make both tables anew."""
        names = {"account_id": "text", "account_name": "text"}
        kinds = names | {name: kind for name, (kind, _, _) in ACCOUNT_COLUMNS.items()}
        self.server.sql(table("accounts", "account_id", kinds, self.accounts))
        names = {"account_id": "text", "email": "text", "name": "text"}
        kinds = names | {name: kind for name, (kind, _, _) in USER_COLUMNS.items()}
        self.server.sql(table("users", "account_id, email", kinds, self.users))


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    place = programs()
    if place is None:
        pytest.skip("no PostgreSQL server is installed (initdb, pg_ctl, postgres, psql)")
    with postgres(place) as server:
        yield Tables(server)


@pytest.fixture
def service(service) -> Any:
    """A sandbox that knows the attributes: what it guesses depends on the row that is first."""
    service.load(
        attributes=[
            {"object": kind, "key_name": attribute, "type": type_}
            for kind, columns in (("accounts", ACCOUNT_COLUMNS), ("users", USER_COLUMNS))
            for _, attribute, type_ in columns.values()
        ]
    )
    return service


@pytest.fixture
def upstream(tables, forked_tool, run, config_file, tmp_path) -> Callable[..., list[Any]]:
    """`upstream(requirements, replication_key=…)`: the command of a tap, its catalog selected."""

    def prepare(requirements: tuple[str, ...], *, replication_key: str | None = None) -> list[Any]:
        try:
            program = forked_tool("tap-postgres", *requirements)
        except RuntimeError as error:
            pytest.skip(f"{requirements[0]} does not install here: {str(error)[-200:]}")
        if requirements is PIPELINEWISE:
            settings = tables.server.config(dbname="postgres", filter_schemas="public")
        else:
            settings = tables.server.config(database="postgres", filter_schemas=["public"])
        config = config_file(settings)
        if requirements not in tables.catalogs:
            ran = run(program, "--config", config, "--discover")
            if "ImportError" in ran.stderr:
                pytest.skip(f"{requirements[0]} has a psycopg2 that is too old for this Python")
            tables.catalogs[requirements] = ran.ok().stdout
        path = tmp_path / "catalog.json"
        catalog = json.loads(tables.catalogs[requirements])
        path.write_text(json.dumps(selected(catalog, replication_key)))
        return [program, "--config", config, "--catalog", path]

    return prepare


def selected(catalog: dict[str, Any], replication_key: str | None) -> dict[str, Any]:
    for stream in catalog["streams"]:
        root = next(entry for entry in stream["metadata"] if not entry["breadcrumb"])["metadata"]
        root["selected"] = True
        has_key = replication_key in stream["schema"]["properties"]
        method = "INCREMENTAL" if has_key else "FULL_TABLE"
        stream["replication_method"] = root["replication-method"] = method
        if has_key:
            stream["replication_key"] = root["replication-key"] = replication_key
    return catalog


def states(ran: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.stdout.split("\n") if line]


# Tests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requirements", "delivery"),
    [
        pytest.param(MELTANO_LABS, "tracking", id="meltanolabs"),
        pytest.param(PIPELINEWISE, "hub", id="pipelinewise-hub"),
    ],
)
def test_tables_arrive_value_by_value(
    service, tables, upstream, pipe_here, config_file, requirements, delivery
) -> None:
    target = ["target-totango", "--config", config_file(service.config(delivery=delivery))]
    ran = pipe_here(upstream(requirements), target).ok()
    assert_copied(service, tables)
    assert states(ran), "no state came out"


def test_a_json_value_outside_the_tap_s_own_schema_is_rejected_alone(
    service, tables, upstream, pipe_here, config_file, tmp_path, request
) -> None:
    """pipelinewise says that jsonb holds objects and arrays, and sends texts as well."""
    request.addfinalizer(tables.fill)
    tables.server.sql("""UPDATE accounts SET details = '"text"' WHERE account_id = 'acme-7'""")
    rejects = tmp_path / "rejects.singer"
    settings = service.config(rejects_path=str(rejects))
    ran = pipe_here(upstream(PIPELINEWISE), ["target-totango", "--config", config_file(settings)])
    assert ran.returncodes == (0, 1)
    # It is still there, made by its users, but nothing of the row was written.
    unwritten = [row for row in service.dump("accounts") if row["account_name"] is None]
    assert [row["account_id"] for row in unwritten] == ["acme-7"]
    kept = [json.loads(line) for line in rejects.read_text().split("\n") if line]
    [rejected] = [message for message in kept if message["type"] == "RECORD"]
    assert rejected["record"]["account_id"] == "acme-7"
    assert "details" in json.dumps(rejected["_reject"])


def test_a_mapper_in_between_changes_nothing_but_what_it_says(
    service, tables, upstream, pipe_here, forked_tool, config_file
) -> None:
    maps = {
        "public-accounts": {
            "__alias__": "accounts",
            "__filter__": "licenses is not None and licenses > 0",
            "account_id": "account_id",
            "account_name": "account_name",
            "licenses": "licenses",
            "Upper Name": "account_name.upper()",
            "__else__": None,
        },
        "public-users": None,
    }
    ran = pipe_here(
        upstream(MELTANO_LABS),
        [forked_tool("meltano-map-transform"), "--config", config_file({"stream_maps": maps})],
        ["target-totango", "--config", config_file(service.config())],
    )
    ran.ok()
    held = {row["account_id"]: row for row in service.dump("accounts")}
    wanted = {row["account_id"]: row for row in tables.accounts if (row["licenses"] or 0) > 0}
    assert set(held) == set(wanted)
    for account_id, row in wanted.items():
        assert held[account_id]["attributes"] == {
            "Licenses": row["licenses"],
            "Upper Name": row["account_name"].upper(),
        }
    assert service.dump("users") == []


def test_the_state_that_comes_out_lets_the_next_run_send_only_what_is_new(
    service, tables, upstream, pipe_here, config_file, tmp_path
) -> None:
    tap = upstream(MELTANO_LABS, replication_key="last_seen")
    target = ["target-totango", "--config", config_file(service.config())]
    state = tmp_path / "state.json"
    state.write_text(json.dumps(states(pipe_here(tap, target).ok())[-1]))
    newest = max(row["last_seen"] for row in tables.accounts if row["last_seen"])
    service.reset()
    pipe_here([*tap, "--state", state], target).ok()
    # Accounts without a name were made by their users, whose table is read whole every time.
    held = {row["account_id"] for row in service.dump("accounts") if row["account_name"]}
    assert held == {row["account_id"] for row in tables.accounts if row["last_seen"] == newest}


def test_users_that_a_new_table_version_no_longer_holds_are_deleted(
    service, tables, upstream, pipe_here, config_file, tmp_path, request
) -> None:
    """pipelinewise sends a version with every record, and ACTIVATE_VERSION behind the last."""
    request.addfinalizer(tables.fill)
    settings = {"ledger_path": str(tmp_path / "ledger.db"), "hard_delete": True}
    target = ["target-totango", "--config", config_file(service.config(**settings))]
    tap = upstream(PIPELINEWISE)
    pipe_here(tap, target).ok()
    gone = tables.users[::100]
    emails = ", ".join(literal(row["email"]) for row in gone)
    tables.server.sql(f"DELETE FROM users WHERE email IN ({emails})")
    pipe_here(tap, target).ok()
    held = {row["user_id"] for row in service.dump("users")}
    assert held == {row["email"] for row in tables.users} - {row["email"] for row in gone}
