"""Singer messages to feed the target with, and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandboxes import Sandbox


def schema(stream: str, *fields: str, keys: tuple[str, ...] = (), **typed: Any) -> dict[str, Any]:
    """A SCHEMA whose fields take anything, but for those given with a schema of their own."""
    properties = {name: {} for name in fields} | typed
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": properties},
        "key_properties": list(keys),
    }


def record(stream: str, /, **fields: Any) -> dict[str, Any]:
    """A RECORD; double underscores in names stand for blanks."""
    named = {name.replace("__", " "): value for name, value in fields.items()}
    return {"type": "RECORD", "stream": stream, "record": named}


def state(value: Any) -> dict[str, Any]:
    """A STATE."""
    return {"type": "STATE", "value": {"bookmarks": {"n": value}}}


PROBED = "test-account"
"""The account that probes write to."""

ACCOUNTS = schema(
    "accounts", "account_id", "account_name", "Plan", "Contract Value", keys=("account_id",)
)
USERS = schema("users", "account_id", "user_id", "user_name", "Title")
ACTIVITIES = schema("activities", "id", "account_id", "user_id", "activity", "module", keys=("id",))


@dataclass
class Delivered:
    """What a run of the target did.

    Attributes:
        error: What it raised in the end; None when everything was done.
        states: The states on standard output.
        rejects: The messages of the rejects file.
        report: The report.
        said: Standard error and the log.
    """

    error: BaseException | None
    states: list[Any]
    rejects: list[dict[str, Any]] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)
    said: str = ""

    @property
    def totals(self) -> dict[str, int]:
        """The counts of all streams that are not zero."""
        return {name: count for name, count in self.report["totals"].items() if count}

    @property
    def rejected(self) -> list[dict[str, Any]]:
        """The records of the rejects file, each with its reasons as `_reject`."""
        return [
            {**message["record"], "_reject": message["_reject"]}
            for message in self.rejects
            if message["type"] == "RECORD"
        ]

    @property
    def codes(self) -> list[set[tuple[str, str]]]:
        """Field and code of the faults of each rejected record."""
        return [
            {(fault["field"], fault["code"]) for fault in one["_reject"]["faults"]}
            for one in self.rejected
        ]

    def ok(self) -> Delivered:
        """Return this, having made sure that everything was done."""
        if self.error is not None:
            raise self.error
        return self


def lines_of(messages: tuple[dict[str, Any] | str, ...]) -> str:
    """Singer text of messages; text goes as it is."""
    texts = (one if isinstance(one, str) else json.dumps(one) for one in messages)
    return "".join(f"{text}\n" for text in texts)


_KEYS = {
    "accounts": (("account_id",), "account_name"),
    "users": (("account_id", "user_id"), "user_name"),
}


def held(service: Sandbox, kind: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """What a sandbox holds of its accounts or users: a name if there is one, and attributes."""
    keys, name = _KEYS[kind]
    return {
        tuple(row[key] for key in keys): {
            **({name: row[name]} if row[name] else {}),
            **row["attributes"],
        }
        for row in service.dump(kind)
    }
