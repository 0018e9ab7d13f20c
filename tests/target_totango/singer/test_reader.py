"""Lines in, messages out; and what a record must be like to fit its SCHEMA."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import contextmanager
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_totango.singer.messages import is_plain
from target_totango.singer.reader import MessageReader
from target_totango.singer.validation import RecordValidator
from totango_api.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def source_of(text: bytes, *, pipe: bool) -> Iterator[IO[str]]:
    """A pipe, or a text stream without a descriptor."""
    if not pipe:
        yield io.StringIO(text.decode())
        return
    source, sink = os.pipe()
    with os.fdopen(sink, "wb") as writing:
        writing.write(text)
    with os.fdopen(source) as reading:
        yield reading


def read(text: bytes, *, pipe: bool = True) -> tuple[list[dict[str, Any]], BaseException | None]:
    """The STATE messages that are read; and what went wrong."""
    seen: list[dict[str, Any]] = []
    reader = MessageReader()
    with source_of(text, pipe=pipe) as source:
        reader.process_lines(source, {"STATE": seen.append})
    return seen, reader.failure


def unprintable_characters() -> list[str]:
    """Control characters, halves of surrogate pairs, and blanks other than a space."""
    controls = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0))]
    blanks = [char for char in map(chr, range(sys.maxunicode + 1)) if char.isspace()]
    return [*controls, *blanks, *map(chr, range(0xD800, 0xE000))]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32-be"])
def test_no_line_with_such_a_character_is_plain(encoding: str) -> None:
    for char in set(unprintable_characters()) - {" "}:
        escaped, raw = json.dumps([char]), json.dumps([char], ensure_ascii=False)
        assert not is_plain(escaped.encode(encoding))
        assert not is_plain(raw.encode(encoding, "surrogatepass"))


def test_whether_texts_are_plain_is_said_of_what_is_handed_over() -> None:
    reader = MessageReader()
    said: list[tuple[int, bool]] = []
    reader.take_records = lambda messages: said.append((len(messages), reader.is_plain))
    for text in ("Größe", "Größe\n", "\u2003"):
        message = {"type": "RECORD", "stream": "s", "record": {"text": text}}
        line = json.dumps(message, ensure_ascii=False)
        reader.process_lines(io.StringIO(f"{line}\n{line}\n"), {})
    assert said == [(2, True), (2, False), (2, False)]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.lists(values, max_size=8), st.booleans(), st.booleans())
def test_messages_are_read_as_they_were_written(
    contents: list[Any], ascii_only: bool, pipe: bool
) -> None:
    lines = [
        json.dumps({"type": "STATE", "value": value}, ensure_ascii=ascii_only) for value in contents
    ]
    text = "\n".join(lines).encode(errors="surrogatepass")
    if len(text) > 60_000:
        return
    seen, failure = read(text, pipe=pipe)
    assert failure is None
    assert [message["value"] for message in seen] == contents


def test_numbers_keep_their_digits() -> None:
    seen, _ = read(b'{"type":"STATE","value":[1.50,123456789012345678901234567890,1e400]}\n')
    assert seen[0]["value"] == [
        Decimal("1.50"),
        123456789012345678901234567890,
        Decimal("1e400"),
    ]
    assert str(seen[0]["value"][0]) == "1.50"


def test_what_is_no_json_but_taps_write_is_read() -> None:
    seen, failure = read(rb'{"type":"STATE","value":[NaN,-Infinity,"\ud800"]}' + b"\n")
    assert failure is None
    nan, infinity, half = seen[0]["value"]
    assert nan.is_nan()
    assert infinity == Decimal("-Infinity")
    assert half == "\ud800"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"nonsense", "Line 2 of the input is not JSON"),
        (
            b'{"type":"STATE","value":2}{"type":"STATE","value":3}',
            "Line 2 of the input is not JSON",
        ),
        (b'{"type":\n"STATE","value":2}', "Line 2 of the input is not JSON"),
        (b"[1]", "Line 2 of the input is not a JSON object"),
        (b'{"stream":"x"}', "Line 2 of the input has no message type"),
        (b'{"type":5}', "Line 2 of the input has no message type"),
        (b'{"type":"HELLO"}', "Line 2 of the input is of the type 'HELLO'"),
        (b'{"type":"STATE","value":"\xff"}', "Line 2 of the input is not UTF-8"),
        (b'{"type":"STATE","value":[NaN,"\xff"]}', "Line 2 of the input is not UTF-8"),
        (b'{"type":"STATE","value":' + b"[" * 50_000, "Line 2 of the input is not JSON"),
    ],
)
def test_a_line_that_is_no_message_ends_reading_with_its_number(line: bytes, words: str) -> None:
    good = b'{"type":"STATE","value":1}\n'
    seen, failure = read(good + line + b"\n" + good)
    assert len(seen) == 1
    assert isinstance(failure, InputError)
    assert words in str(failure)


def test_a_first_line_that_is_no_message_hands_nothing_over() -> None:
    seen, failure = read(b"nonsense\n")
    assert seen == []
    assert "Line 1 of the input is not JSON" in str(failure)


def test_nothing_is_handed_over_once_a_signal_has_come() -> None:
    reader, seen = MessageReader(), []

    def take(message: dict[str, Any]) -> None:
        seen.append(message["value"])
        reader.signal = 15

    lines = "".join(f'{{"type":"STATE","value":{number}}}\n' for number in range(3))
    counts = reader.process_lines(io.StringIO(lines), {"STATE": take})
    assert (seen, counts, reader.failure) == ([0], {"STATE": 1}, None)


@pytest.mark.parametrize("pipe", [True, False])
def test_records_of_one_stream_that_follow_each_other_come_together(pipe: bool) -> None:
    messages = [
        *[{"type": "RECORD", "stream": "a", "record": {"n": number}} for number in (1, 2)],
        {"type": "RECORD", "stream": "b", "record": {"n": 3}},
        {"type": "RECORD", "stream": "b"},
        {"type": "RECORD", "stream": "b", "record": {"n": 5}},
        {"type": "STATE", "value": 6},
        {"type": "RECORD", "stream": "b", "record": {"n": 7}},
    ]
    text = "".join(json.dumps(message) + "\n\n" for message in messages) + "nonsense\n"
    reader, seen = MessageReader(), []
    reader.take_records = lambda records: seen.append((reader.line, records))
    callbacks = {"STATE": lambda message: seen.append((reader.line, [message]))}
    with source_of(text.encode(), pipe=pipe) as source:
        counts = reader.process_lines(source, callbacks)
    assert seen == [
        (1, messages[:2]),
        (5, messages[2:3]),
        (7, messages[3:4]),
        (9, messages[4:5]),
        (11, messages[5:6]),
        (13, messages[6:]),
    ]
    assert counts == {"RECORD": 6, "STATE": 1}
    assert "Line 15 of the input is not JSON" in str(reader.failure)


def test_a_last_line_without_a_line_feed_counts_if_it_is_whole() -> None:
    seen, failure = read(b'{"type":"STATE","value":1}')
    assert failure is None
    assert len(seen) == 1
    _, failure = read(b'{"type":"STATE","value":1}\n{"type":"STA')
    assert "ended inside line 2" in str(failure)


def test_lines_longer_than_any_buffer(tmp_path: Path) -> None:
    long = "x" * 3_000_000
    seen: list[Any] = []
    reader = MessageReader()
    path = tmp_path / "long.singer"
    path.write_text(json.dumps({"type": "STATE", "value": long}) + "\n")
    with path.open() as reading:
        reader.process_lines(reading, {"STATE": seen.append})
    assert seen[0]["value"] == long


# Validation ------------------------------------------------------------------------------------


def errors(schema: dict[str, Any], record: dict[str, Any]) -> list[str]:
    [found] = RecordValidator(schema, stream="s").errors([record])
    return [fault.field for fault in found]


def test_every_misfit_is_named_by_its_path() -> None:
    schema = {
        "properties": {
            "a": {"type": "string"},
            "b": {"type": "object", "properties": {"c": {"type": "integer"}}},
        }
    }
    assert sorted(errors(schema, {"a": 1, "b": {"c": "x"}})) == ["a", "b.c"]
    assert errors(schema, {"a": "x", "b": {"c": Decimal("1.0")}}) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"n": {"type": "number", "maximum": 5, "exclusiveMaximum": True}}},
        {"properties": {"n": {"type": "number", "exclusiveMaximum": 5}}},
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "properties": {"n": {"exclusiveMaximum": 5}},
        },
        {"definitions": {"d": {"maximum": 4}}, "properties": {"n": {"$ref": "#/definitions/d"}}},
    ],
)
def test_every_draft_is_understood(schema: dict[str, Any]) -> None:
    assert errors(schema, {"n": 4}) == []
    assert errors(schema, {"n": 5}) == ["n"]


def test_how_a_database_stores_a_number_is_not_checked() -> None:
    schema = {"properties": {"n": {"type": "number", "multipleOf": 1e-38}}}
    assert errors(schema, {"n": Decimal("0.1")}) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"n": {"type": 5}}},
        {"properties": {"n": {"$ref": "http://example.com/s.json"}}},
        {"properties": {"n": {"$ref": "#/nowhere"}}},
    ],
)
def test_what_is_no_schema_is_refused_and_nothing_is_fetched(schema: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="not a JSON schema"):
        RecordValidator(schema, stream="s")


@pytest.mark.parametrize("kind", ["date-time", ["null", "date-time"], ["uuid"]])
def test_types_that_json_schema_has_not_say_nothing(kind: Any) -> None:
    schema = {"type": "object", "properties": {"at": {"type": kind}, "n": {"type": "integer"}}}
    assert errors(schema, {"at": "2024-01-01", "n": "x"}) == ["n"]
    assert errors({**schema, "type": kind}, {"at": 5, "n": 5}) == []
    named = {"properties": {"type": {"type": "string"}}}
    assert errors(named, {"type": 5}) == ["type"]


def test_a_text_that_is_no_unicode_hides_no_other_record_s_misfit() -> None:
    validator = RecordValidator({"properties": {"n": {"type": "integer"}}}, stream="s")
    found = validator.errors([{"n": "x"}, {"\ud800": 1}, {"n": "\ud800"}, {"n": None}])
    assert [[fault.field for fault in faults] for faults in found] == [["n"], [], [], ["n"]]
