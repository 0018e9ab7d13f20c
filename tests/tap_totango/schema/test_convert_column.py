"""A column converted at once is what its values are when converted one by one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tap_totango.schema import types as values
from tap_totango.schema.times import ConversionError
from tap_totango.schema.types import convert, convert_column

EPOCHS = st.integers(-70_000_000_000_000, 260_000_000_000_000)
PLAIN = {
    values.TEXT: st.text(max_size=5),
    values.NUMBER: st.integers(-(2**1100), 2**1100)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from([Decimal("1E+308"), Decimal("2E+308"), Decimal("-1E+999999999")]),
    values.TIMESTAMP: EPOCHS,
    values.DATE: st.dates().map(str)
    | st.sampled_from(["2025-08-20T00:00:00Z", "20250820", "2025-08-20T10:00:00Z", " ", ""]),
    values.BOOLEAN: st.booleans(),
    values.OBJECT: st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    values.JSON: st.lists(st.integers(), max_size=2),
}
ANYTHING = st.none() | st.one_of(*PLAIN.values())


@st.composite
def columns(draw: st.DrawFn) -> tuple[str, list[Any]]:
    """A kind, and values of which most or all are of it."""
    kind = draw(st.sampled_from(sorted(PLAIN)))
    one = st.none() | PLAIN[kind]
    return kind, draw(st.lists(draw(st.sampled_from([one, one | ANYTHING])), max_size=12))


@given(column=columns())
@example(column=("timestamp", [0, None, 253_402_300_799_999, 253_402_300_800_000]))
@example(column=("number", [1, Decimal("1E+400"), 10**400, None, True]))
def test_at_once_as_one_by_one(column: tuple[str, list[Any]]) -> None:
    kind, raw = column
    expected: list[Any] = []
    unfit: dict[int, Any] = {}
    for place, value in enumerate(raw):
        try:
            expected.append(convert(kind, value))
        except ConversionError:
            expected.append(None)
            unfit[place] = value
    misfits: dict[int, Any] = {}
    found = list(convert_column(kind, raw, misfits.__setitem__))
    assert [*map(repr, found)] == [*map(repr, expected)]
    assert misfits == unfit
