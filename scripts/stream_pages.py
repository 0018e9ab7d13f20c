"""A page for each stream, written from what its class says and from what a sandbox answers.

`python scripts/stream_pages.py` names the pages that are out of step and fails; with `--write` it
brings them into step. The pages are docs/streams.md, those in docs/streams/, and their part of
mkdocs.yml. The columns are those that the tap discovers in a sandbox with made-up customers, which
are always the same, and so is the example on each page.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import sandboxes
from toolbox import ROOT
from written_pages import between, check_or_write

from tap_totango.records import MessageWriter
from tap_totango.streams import STREAMS
from tap_totango.tap import TapTotango

if TYPE_CHECKING:
    from sandboxes import Sandbox

    from tap_totango.streams import TotangoStream

DOCS: Final = ROOT / "docs"
_SEED: Final = "accounts=40,users=60,events=300"
_SHOWN: Final = 160
"""So many characters of a text are shown."""

_HEAD: Final = """# Streams and their columns

Written by `make docs` from the code, with columns and examples from [the sandbox](sandbox.md).
Every stream also has `_extra`, an object with what no column knows and what does not fit its
column. Any column but a key may be null. Lists that are not here become
[streams of your own](own-streams.md).

| stream | what it is | key | read | selected |
|---|---|---|---|---|
"""
_ATTRIBUTES: Final = """
## Attributes

A column for each attribute of your service, under a name made of its API name. The sandbox has
these:

"""
_COMPUTED: Final = """
## What Totango computes or keeps elsewhere

Null where your service does not give it. Columns on request are read only if a catalog selects
them.

"""
_COLUMNS: Final = "| column | type | what it is |\n|---|---|---|\n"

Schema = dict[str, Any]


class _SilentWriter(MessageWriter):
    """Writes no message."""

    def write_lines(self, lines: bytes) -> None:
        """Drop messages."""


class _SilentTap(TapTotango):
    """A tap whose records are taken from its streams."""

    message_writer_class = _SilentWriter


@dataclass(frozen=True)
class Seen:
    """What the sandbox showed of a stream.

    Attributes:
        columns: Their JSON schemas, by name.
        on_request: Columns that are not selected by default.
        endpoints: Methods and paths of the calls.
        example: The fullest record; of several, the one with the least key.
        attributes: Titles of the columns that are attributes.
    """

    columns: dict[str, Schema]
    on_request: frozenset[str]
    endpoints: tuple[str, ...]
    example: dict[str, Any]
    attributes: frozenset[str]


def seen_streams() -> dict[str, Seen]:
    """Read every stream from a sandbox."""
    with (
        tempfile.TemporaryDirectory() as home,
        sandboxes.sandbox(Path(home), seed=_SEED) as service,
    ):
        service.set(audit_year="exclusive")  # or 31 December would fail the audit log
        jobs = [{"id": service.dump("jobs")[0]["connector_id"]}]
        config = service.config(team_ids=[1, 2], job_connectors=jobs, start_date="2025-01-01")
        catalog = _SilentTap(config=config).catalog_dict
        attributes = frozenset(row["key_name"] for row in service.dump("attributes"))
        return {
            str(stream.name): _seen(service, config, catalog, str(stream.name), attributes)
            for stream in STREAMS
        }


def _seen(
    service: Sandbox, config: dict[str, Any], catalog: Schema, name: str, attributes: frozenset[str]
) -> Seen:
    for entry in catalog["streams"]:
        root = next(one for one in entry["metadata"] if not one["breadcrumb"])
        root["metadata"]["selected"] = entry["tap_stream_id"] == name
    tap = _SilentTap(config=config, catalog=catalog)
    stream = cast("TotangoStream", tap.streams[name])
    before = len(service.dump("calls"))
    keys = stream.primary_keys
    rows = {tuple(str(row[key]) for key in keys): row for row in stream.get_records(None)}
    called = service.dump("calls")[before:]
    fullest = max(rows, key=lambda key: (sum(one is not None for one in rows[key].values()), key))
    (entry,) = (one for one in catalog["streams"] if one["tap_stream_id"] == name)
    optional = {
        one["breadcrumb"][-1]
        for one in entry["metadata"]
        if one["breadcrumb"] and one["metadata"].get("selected-by-default") is False
    }
    paths = (re.sub(r"/\d+$", "/{id}", call["path"]) for call in called)
    endpoints = tuple(
        dict.fromkeys(f"{call['method']} {path}" for call, path in zip(called, paths, strict=True))
    )
    columns = entry["schema"]["properties"]
    return Seen(columns, frozenset(optional), endpoints, rows[fullest], attributes)


def pages() -> dict[Path, str]:
    """Return every page as it has to be."""
    seen = seen_streams()
    found = {DOCS / "streams" / f"{stream.name}.md": _page(stream, seen) for stream in STREAMS}
    found[DOCS / "streams.md"] = _HEAD + "".join(map(_index_row, STREAMS))
    nav = "".join(f"      - streams/{stream.name}.md\n" for stream in STREAMS)
    present = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    marks = ("      - streams.md\n", "  - Streams of your own: own-streams.md\n")
    found[ROOT / "mkdocs.yml"] = between(present, *marks, nav)
    return found


def _index_row(stream: Any) -> str:
    name, keys = stream.name, ", ".join(f"`{key}`" for key in stream.keys)
    read = f"incrementally on `{stream.incremental_on}`" if stream.incremental_on else "whole"
    selected = "by default" if stream.selected_by_default else "on request"
    return f"| [{name}](streams/{name}.md) | {_first(stream)} | {keys} | {read} | {selected} |\n"


def _first(stream: Any) -> str:
    return str(stream.__doc__ or "").strip().partition("\n")[0]


def _page(stream: Any, seen: dict[str, Seen]) -> str:
    """Return the page of a stream."""
    shown = seen[str(stream.name)]
    keys = ", ".join(f"`{key}`" for key in stream.keys)
    read = f"incrementally on `{stream.incremental_on}`" if stream.incremental_on else "whole"
    facts = {
        "Key": keys,
        "Read": f"{read} ([what changed](../tap.md#what-changed))",
        "Endpoint": ", ".join(f"`{one}`" for one in shown.endpoints),
        "Calls": stream.calls,
        "Selected": "by default" if stream.selected_by_default else "on request",
    }
    table = "".join(f"| {name} | {value} |\n" for name, value in facts.items())
    example = json.dumps(_short(shown.example), indent=2, ensure_ascii=False, default=float)
    return (
        f"# {stream.name}\n\n{_first(stream)}\n\n| | |\n|---|---|\n{table}"
        f"\n## Columns\n\n{_column_tables(stream, shown)}"
        f"\n## A record\n\nOf [the sandbox](../sandbox.md), whose people and customers are made up:"
        f"\n\n```json\n{example}\n```\n"
    )


def _column_tables(stream: Any, seen: Seen) -> str:
    """Return the columns: those of every service, of attributes, and what Totango computes."""
    base = {column.name for column in stream.base} | {"_extra"}
    others = {name: schema for name, schema in seen.columns.items() if name not in base}
    attributes = {name for name in others if others[name].get("title") in seen.attributes}
    text = _COLUMNS + "".join(_row(name, seen) for name in seen.columns if name in base)
    if computed := [name for name in others if name not in attributes]:
        text += _COMPUTED + _COLUMNS + "".join(_row(name, seen) for name in computed)
    if attributes:
        text += _ATTRIBUTES + _COLUMNS
        text += "".join(_row(name, seen) for name in others if name in attributes)
    return text


def _row(name: str, seen: Seen) -> str:
    schema = seen.columns[name]
    kinds = [one for one in schema["type"] if one != "null"]
    kind = schema.get("format") or (kinds[0] if len(kinds) == 1 else "any JSON")
    more = " (on request)" if name in seen.on_request else ""
    return f"| `{name}` | {kind} | {schema.get('title', name)}{more} |\n"


def _short(value: Any) -> Any:
    """Return a value whose texts are not longer than a page is wide."""
    if isinstance(value, dict):
        return {key: _short(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_short(inner) for inner in value[:3]]
    if isinstance(value, str) and len(value) > _SHOWN:
        return f"{value[:_SHOWN]}…"
    return value


def main() -> int:
    """Check, or write."""
    wanted = pages()
    return check_or_write(wanted, {*(DOCS / "streams").glob("*.md")} - wanted.keys())


if __name__ == "__main__":
    sys.exit(main())
