"""Two tables of invented accounts and users, with values of many types, as SQL and as Python."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

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
