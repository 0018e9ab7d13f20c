"""The page of streams, written from what their classes say; `--write` brings it into step."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from toolbox import ROOT

from tap_totango.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_totango.schema import Column

PAGE: Final = ROOT / "docs" / "streams.md"
_HEAD: Final = """# Streams and their columns

Written by `make docs` from the code. Every stream also has `_extra`, an object with what no column
knows and what does not fit its column. Any column but a key may be null. `accounts` and `users`
have more: a column for each attribute, and [what Totango computes](tap.md).
"""


def page() -> str:
    """Return the page as it has to be."""
    sections = [_section(str(stream.name), stream.base, _about(stream)) for stream in STREAMS]
    return "\n".join([_HEAD, *sections])


def _about(stream: Any) -> list[str]:
    """Return what a stream is, and how it is read."""
    on = f"incremental on `{stream.incremental_on}`" if stream.incremental_on else "read whole"
    keys = ", ".join(f"`{key}`" for key in stream.keys)
    selected = "by default" if stream.selected_by_default else "on request"
    first = (stream.__doc__ or "").strip().partition("\n")[0]
    return [first, "", f"Key: {keys}; {on}; selected {selected}."]


def _section(name: str, columns: Sequence[Column], about: Sequence[str]) -> str:
    rows = [f"| `{one.name}` | {_type(one)} | {one.title} |" for one in columns]
    head = ["", "| column | type | what it is |", "|---|---|---|"]
    return "\n".join([f"## {name}", "", *about, *head, *rows, ""])


def _type(column: Column) -> str:
    kinds = [one for one in column.schema["type"] if one != "null"]
    return str(column.schema.get("format") or (kinds[0] if len(kinds) == 1 else "any JSON"))


def main() -> int:
    """Write the page, or say whether it is in step."""
    if "--write" in sys.argv:
        PAGE.write_text(page())
        return 0
    return int(PAGE.read_text() != page())


if __name__ == "__main__":
    sys.exit(main())
