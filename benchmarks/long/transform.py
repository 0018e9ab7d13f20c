"""What it costs to check one row against its SCHEMA, and to turn it into a write request.

Run with ``python benchmarks/long/transform.py [--rounds 200]``. The row has 20 fields of the kinds
that taps write: texts, numbers, a boolean, a moment, a null. The best of many short rounds is
shown, so that other work of the machine counts as little as possible.
"""

from __future__ import annotations

import argparse
import timeit
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping.compiler import compile_mapping
from target_totango.mapping.config import MappingConfig
from target_totango.mapping.known_attributes import KnownAttributes
from target_totango.mapping.transform import Transformer
from target_totango.models import Row, SourceStream
from target_totango.singer.validation import RecordValidator

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS: Final = 500
TEXTS: Final = 12
FIELDS: Final[dict[str, tuple[dict[str, Any], Any]]] = {
    "account_id": ({"type": "string"}, "A-1001"),
    **{
        f"Text {number}": ({"type": ["string", "null"]}, f"value {number}")
        for number in range(TEXTS)
    },
    "Price": ({"type": ["number", "null"]}, Decimal("12.50")),
    "Share": ({"type": ["number", "null"]}, Decimal("0.1")),
    "Seats": ({"type": ["integer", "null"]}, 12),
    "Visits": ({"type": ["integer", "null"]}, 100_000),
    "Active": ({"type": ["boolean", "null"]}, True),
    "Seen": (
        {"type": ["string", "null"], "format": "date-time"},
        "2024-07-01T10:00:00.000000Z",
    ),
    "Unknown": ({"type": ["string", "null"]}, None),
}


def steps() -> dict[str, Callable[[], Any]]:
    """Return what is measured, by name."""
    schema = {"type": "object", "properties": {name: kind for name, (kind, _) in FIELDS.items()}}
    record = {name: value for name, (_, value) in FIELDS.items()}
    mapping = compile_mapping(
        MappingConfig(),
        object_="accounts",
        stream="accounts",
        schema=schema,
        known=KnownAttributes.of(),
    )
    transformer = Transformer(mapping)
    validator = RecordValidator(schema, stream="accounts")
    row = Row(1, SourceStream("accounts", schema, ()), {}, "accounts", "accounts")
    transformer.transform(record, row)
    if row.errors or any(validator.errors([record])):
        msg = "the row is not as it should be"
        raise AssertionError(msg)
    return {
        "checked against its SCHEMA": lambda: validator.errors([record]),
        "turned into a write request": lambda: transformer.transform(record, row),
    }


def main() -> None:
    """Print microseconds a row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    for name, step in steps().items():
        seconds = min(timeit.repeat(step, number=ROWS, repeat=rounds))
        print(f"{seconds / ROWS * 1e6:5.2f} µs a row of {len(FIELDS)} fields: {name}")


if __name__ == "__main__":
    main()
