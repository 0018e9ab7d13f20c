"""What a run of the tap said, and how strictly it is looked at."""

from __future__ import annotations

import functools
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from jsonschema_rs import Draft202012Validator

KEYS = {
    "accounts": ("account_id",),
    "users": ("account_id", "user_id"),
    "events": ("event_id",),
    "attributes": ("object", "api_name"),
    "touchpoints": ("event_id",),
    "task_events": ("event_id",),
    "tasks": ("task_id",),
    "health_changes": ("event_id",),
    "campaign_touches": ("event_id",),
    "touchpoint_types": ("id",),
    "touchpoint_tags": ("id",),
    "activity_types": ("activity_type_id",),
    "objective_statuses": ("id",),
    "objective_categories": ("id",),
    "staff": ("staff_id",),
    "teams": ("team_id",),
    "audit_log": ("row_id",),
    "import_jobs": ("job_id", "transaction_id"),
}


def strict(schema: dict[str, Any]) -> Draft202012Validator:
    """A validator that checks formats too, and takes no column that the schema does not name."""
    closed = {**schema, "additionalProperties": False}
    return Draft202012Validator(closed, validate_formats=True)


@dataclass(frozen=True)
class TapRun:
    """One run of the tap that has ended."""

    code: int
    stdout: str
    said: str

    @functools.cached_property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stdout.split("\n") if line]

    def of(self, kind: str, stream: str | None = None) -> list[dict[str, Any]]:
        """The messages of a type, and of a stream if one is named."""
        return [
            message
            for message in self.messages
            if message["type"] == kind and (stream is None or message["stream"] == stream)
        ]

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [message["record"] for message in self.of("RECORD", stream)]

    def keys(self, stream: str) -> list[tuple[str, ...]]:
        names = KEYS.get(stream) or self.of("SCHEMA", stream)[0]["key_properties"]
        return [tuple(record[key] for key in names) for record in self.records(stream)]

    def by_key(self, stream: str) -> dict[tuple[str, ...], dict[str, Any]]:
        return dict(zip(self.keys(stream), self.records(stream), strict=True))

    def schema(self, stream: str) -> dict[str, Any]:
        (message,) = self.of("SCHEMA", stream)
        schema: dict[str, Any] = message["schema"]
        return schema

    @property
    def states(self) -> list[dict[str, Any]]:
        return [message["value"] for message in self.of("STATE")]

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1]

    def bookmark(self, stream: str) -> dict[str, Any]:
        bookmark: dict[str, Any] = self.state["bookmarks"].get(stream, {})
        return bookmark

    def value(self, stream: str) -> str | None:
        """The replication value that the last state holds."""
        value: str | None = self.bookmark(stream).get("replication_key_value")
        return value

    @property
    def last(self) -> str:
        """The last line on stderr."""
        return self.said.strip().split("\n")[-1]

    def ok(self) -> TapRun:
        """Return this, having made sure that it ended well, and that what came out is right."""
        assert self.code == 0, self.said[-4000:]
        return self.sound()

    def failed(self, *words: str) -> TapRun:
        """Return this, having made sure that it failed, and that its last line says why."""
        assert self.code == 1, (self.code, self.said[-4000:])
        for word in words:
            assert word in self.last, self.said[-4000:]
        return self.sound()

    def sound(self, most: int = 300) -> TapRun:
        """Return this, having held what has to hold for any run, whatever became of it."""
        assert "Traceback" not in self.said, self.said[-6000:]
        validators, seen = {}, Counter[Any]()
        for number, message in enumerate(self.messages):
            if message["type"] == "SCHEMA":
                validators[message["stream"]] = strict(message["schema"])
            if message["type"] != "RECORD":
                continue
            stream, record = message["stream"], message["record"]
            names = KEYS.get(stream) or self.of("SCHEMA", stream)[0]["key_properties"]
            seen[stream, *(record[key] for key in names), *([] if names else [number])] += 1
            if number < most:
                faults = [fault.message for fault in validators[stream].iter_errors(record)]
                assert not faults, (faults, record)
        assert set(seen.values()) <= {1}, seen.most_common(3)
        for state in self.states:
            text = json.dumps(state)
            assert "progress_markers" not in text
        return self


def catalog_of(discovered: str) -> Catalog:
    """A catalog, as `--discover` prints it, to change."""
    return Catalog(json.loads(discovered))


@dataclass(frozen=True)
class Catalog:
    """A catalog that can be changed as a user would."""

    document: dict[str, Any]

    def stream(self, name: str) -> dict[str, Any]:
        entries: list[dict[str, Any]] = self.document["streams"]
        return next(one for one in entries if one["tap_stream_id"] == name)

    def metadata(self, name: str, *breadcrumb: str) -> dict[str, Any]:
        entries = self.stream(name)["metadata"]
        found: dict[str, Any] = next(
            one["metadata"] for one in entries if one["breadcrumb"] == list(breadcrumb)
        )
        return found

    def select(self, name: str, *, only: tuple[str, ...] | None = None) -> Catalog:
        """Select a stream; with `only`, these columns of it and no others."""
        self.metadata(name)["selected"] = True
        if only is not None:
            for entry in self.stream(name)["metadata"]:
                if entry["breadcrumb"]:
                    entry["metadata"]["selected"] = entry["breadcrumb"][-1] in only
        return self

    def deselect(self, *names: str) -> Catalog:
        for name in names:
            self.metadata(name)["selected"] = False
        return self

    def properties(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.stream(name)["schema"]["properties"]
        return found
