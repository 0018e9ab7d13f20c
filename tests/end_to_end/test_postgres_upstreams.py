"""Real tables through other people's taps: what is in PostgreSQL is what is in Totango."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from postgres import postgres, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postgres import Postgres

MELTANO_LABS = ("meltanolabs-tap-postgres==0.10.0",)
# Its metadata says "Python below 3.10", which is long untrue.
PIPELINEWISE = ("pipelinewise-tap-postgres==2.1.0", "--ignore-requires-python")

# Column → its type in PostgreSQL, the attribute that it becomes, and the type of that.
ACCOUNT_COLUMNS = {
    "contract_value": ("numeric(14, 2)", "Contract Value", "currency"),
    "licenses": ("integer", "Licenses", "number"),
    "create_date": ("date", "Create Date", "date"),
    "last_seen": ("timestamptz", "last_seen", "date"),
    "renewal": ("timestamp", "renewal", "date"),
    "is_live": ("boolean", "is_live", "text"),
    "tags": ("text[]", "tags", "text"),
    "details": ("jsonb", "details", "text"),
    "ratio": ("double precision", "ratio", "number"),
    "big": ("bigint", "big", "number"),
    "ref": ("uuid", "ref", "text"),
    "note": ("text", "note", "text"),
}
USER_COLUMNS = {
    "age": ("smallint", "age", "number"),
    "joined": ("timestamptz", "joined", "date"),
    "title": ("varchar(80)", "title", "text"),
}
SIGNS = "aZ09 äöüßéñ日本語العربية€🎈'\"\\%+&=?#/;,.{}[]<>|~^`$@!*()\n\t"


# Rows ----------------------------------------------------------------------------------------


def made_up(chance: random.Random, kind: str) -> Any:
    """A value of a column; one in five is null."""
    if chance.random() < 0.2:
        return None
    seconds = chance.randrange(-(10**9), 2 * 10**9)
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
    makers: dict[str, Callable[[], Any]] = {
        "numeric(14, 2)": lambda: Decimal(chance.randrange(-(10**13), 10**13)) / 100,
        "integer": lambda: chance.randrange(-(2**31), 2**31),
        "smallint": lambda: chance.randrange(-(2**15), 2**15),
        "bigint": lambda: chance.randrange(-(2**63), 2**63),
        "date": moment.date,
        "timestamptz": lambda: moment.replace(microsecond=chance.randrange(1000) * 1000),
        "timestamp": lambda: moment.replace(tzinfo=None),
        "boolean": lambda: chance.random() < 0.5,
        "text[]": lambda: [
            text(chance, 6).replace(",", ";") for _ in range(chance.randrange(1, 4))
        ],
        "jsonb": lambda: {text(chance, 4): [1, 2.5, None, {"x": text(chance, 8)}], "b": True},
        "double precision": lambda: chance.uniform(-1e6, 1e6) ** chance.choice([1, 3]),
        "uuid": lambda: uuid.UUID(int=chance.getrandbits(128)),
        "text": lambda: text(chance, 100),
        "varchar(80)": lambda: text(chance, 80),
    }
    return makers[kind]()


def text(chance: random.Random, longest: int) -> str:
    return "".join(chance.choices(SIGNS, k=chance.randrange(1, longest)))


def accounts() -> list[dict[str, Any]]:
    chance = random.Random(20)
    return [
        {"account_id": f"acme-{number}", "account_name": f"Größe {number} {text(chance, 60)}"}
        | {name: made_up(chance, kind) for name, (kind, _, _) in ACCOUNT_COLUMNS.items()}
        for number in range(300)
    ]


def users() -> list[dict[str, Any]]:
    chance = random.Random(21)
    return [
        {
            "account_id": f"acme-{chance.randrange(300)}",
            "email": f"user.{number}@x-{number % 7}.com",
            "name": f"Ünal {text(chance, 40)}",
        }
        | {name: made_up(chance, kind) for name, (kind, _, _) in USER_COLUMNS.items()}
        for number in range(500)
    ]


def literal(value: Any) -> str:
    """A value as PostgreSQL's SQL has it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | Decimal):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list):
        return f"ARRAY[{', '.join(map(literal, value))}]::text[]"
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False)
    return "'" + str(value).replace("'", "''") + "'"


def table(name: str, key: str, columns: dict[str, str], rows: list[dict[str, Any]]) -> str:
    defined = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    values = ",\n".join(f"({', '.join(literal(row[c]) for c in columns)})" for row in rows)
    return f"""
        DROP TABLE IF EXISTS {name};
        CREATE TABLE {name} ({defined}, PRIMARY KEY ({key}));
        INSERT INTO {name} VALUES {values};
    """


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
    """The two tables, in a server of their own."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.accounts, self.users = accounts(), users()
        names = {"account_id": "text", "account_name": "text"}
        kinds = names | {name: kind for name, (kind, _, _) in ACCOUNT_COLUMNS.items()}
        server.sql(table("accounts", "account_id", kinds, self.accounts))
        names = {"account_id": "text", "email": "text", "name": "text"}
        kinds = names | {name: kind for name, (kind, _, _) in USER_COLUMNS.items()}
        server.sql(table("users", "account_id, email", kinds, self.users))


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    place = programs()
    if place is None:
        pytest.skip("no PostgreSQL server is installed (initdb, pg_ctl, postgres, psql)")
    with postgres(place) as server:
        yield Tables(server)


@pytest.fixture
def service(sandbox) -> Any:
    """A sandbox that knows the attributes: what it guesses depends on the row that is first."""
    started = sandbox()
    started.load(
        attributes=[
            {"object": kind, "key_name": attribute, "type": type_}
            for kind, columns in (("accounts", ACCOUNT_COLUMNS), ("users", USER_COLUMNS))
            for _, attribute, type_ in columns.values()
        ]
    )
    return started


@pytest.fixture
def upstream(tables, tool, run, config_file, tmp_path) -> Callable[..., list[Any]]:
    """`upstream(requirements, replication_key=…)`: the command of a tap, its catalog selected."""

    def prepare(requirements: tuple[str, ...], *, replication_key: str | None = None) -> list[Any]:
        try:
            program = tool("tap-postgres", *requirements)
        except RuntimeError as error:
            pytest.skip(f"{requirements[0]} does not install here: {str(error)[-200:]}")
        if requirements is PIPELINEWISE:
            settings = tables.server.config(dbname="postgres", filter_schemas="public")
        else:
            settings = tables.server.config(database="postgres", filter_schemas=["public"])
        config = config_file(settings)
        catalog = json.loads(run(program, "--config", config, "--discover").ok().stdout)
        path = tmp_path / "catalog.json"
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
        pytest.param(MELTANO_LABS, "hub", id="meltanolabs-hub"),
        pytest.param(PIPELINEWISE, "tracking", id="pipelinewise"),
        pytest.param(PIPELINEWISE, "hub", id="pipelinewise-hub"),
    ],
)
def test_tables_arrive_value_by_value(
    service, tables, upstream, pipe, config_file, requirements, delivery
) -> None:
    target = ["target-totango", "--config", config_file(service.config(delivery=delivery))]
    ran = pipe(upstream(requirements), target).ok()
    assert_copied(service, tables)
    assert states(ran), "no state came out"


def test_a_json_value_outside_the_tap_s_own_schema_is_rejected_alone(
    service, tables, upstream, pipe, config_file, tmp_path, request
) -> None:
    """pipelinewise says that jsonb holds objects and arrays, and sends texts as well."""
    before = literal(tables.accounts[7]["details"])
    request.addfinalizer(
        lambda: tables.server.sql(
            f"UPDATE accounts SET details = {before} WHERE account_id = 'acme-7'"
        )
    )
    tables.server.sql("""UPDATE accounts SET details = '"text"' WHERE account_id = 'acme-7'""")
    rejects = tmp_path / "rejects.singer"
    settings = service.config(rejects_path=str(rejects))
    ran = pipe(upstream(PIPELINEWISE), ["target-totango", "--config", config_file(settings)])
    assert ran.returncodes == (0, 1)
    # It is still there, made by its users, but nothing of the row was written.
    unwritten = [row for row in service.dump("accounts") if row["account_name"] is None]
    assert [row["account_id"] for row in unwritten] == ["acme-7"]
    kept = [json.loads(line) for line in rejects.read_text().split("\n") if line]
    [rejected] = [message["record"] for message in kept if message["type"] == "RECORD"]
    assert rejected["account_id"] == "acme-7"
    assert "details" in json.dumps(rejected["_reject"])


@pytest.mark.parametrize(
    "requirements", [MELTANO_LABS, PIPELINEWISE], ids=["meltanolabs", "pipelinewise"]
)
def test_a_mapper_in_between_changes_nothing_but_what_it_says(
    service, tables, upstream, pipe, tool, config_file, requirements
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
    ran = pipe(
        upstream(requirements),
        [tool("meltano-map-transform"), "--config", config_file({"stream_maps": maps})],
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
    service, tables, upstream, pipe, config_file, tmp_path
) -> None:
    tap = upstream(MELTANO_LABS, replication_key="last_seen")
    target = ["target-totango", "--config", config_file(service.config())]
    state = tmp_path / "state.json"
    state.write_text(json.dumps(states(pipe(tap, target).ok())[-1]))
    newest = max(row["last_seen"] for row in tables.accounts if row["last_seen"])
    service.reset()
    pipe([*tap, "--state", state], target).ok()
    # Accounts without a name were made by their users, whose table is read whole every time.
    held = {row["account_id"] for row in service.dump("accounts") if row["account_name"]}
    assert held == {row["account_id"] for row in tables.accounts if row["last_seen"] == newest}
