"""Sources: what they read out of a record."""

from __future__ import annotations

from typing import Any

import pytest

from target_totango.mapping.expressions import MISSING, Incomplete, path, template
from target_totango.mapping.sources import parse_source

RECORD = {
    "Owner": {"Name": "Dana", "Mail": None},
    "a.b": "exact",
    "a": {"b": "nested"},
    "lines": [{"sku": "x"}],
    "none": None,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Owner.Name", "Dana"),
        ("Owner.Mail", None),
        ("Owner.Phone", MISSING),
        ("a.b", "exact"),
        ("lines.0.sku", "x"),
        ("lines.1.sku", MISSING),
        ("none.deeper", None),
        ("nowhere", MISSING),
        ("nowhere.deeper", MISSING),
    ],
)
def test_paths(text: str, value: Any) -> None:
    assert path(text).read(RECORD) == value


@pytest.mark.parametrize(
    ("text", "record", "filled"),
    [
        ("{first} {last}", {"first": "Ann", "last": "Example"}, "Ann Example"),
        ("{{{first}}}-{{x", {"first": "Ann"}, "{Ann}-{x"),
        ("{a.b}_{n}", {"a": {"b": "x"}, "n": 5}, "x_5"),
    ],
)
def test_templates(text: str, record: dict[str, Any], filled: str) -> None:
    for fill in (False, True):
        value = template(text, fill=fill).read(record)
        assert value == filled
        assert type(value) is str


@pytest.mark.parametrize(
    ("text", "record", "filled"),
    [
        ("{first} {last}", {"first": "Bob", "last": None}, "Bob"),
        ("{first} {last}", {"last": "Example"}, "Example"),
        ("{first} {middle} {last}", {"first": "Bob", "middle": "", "last": "E"}, "Bob E"),
        ("{city}, {state} {zip}", {"city": "Bonn", "zip": 53111}, "Bonn 53111"),
        ("Mr. {first} {last}", {"last": "Example"}, "Example"),
    ],
)
def test_a_template_with_a_missing_part_says_so_and_gives_what_is_there_if_asked(
    text: str, record: dict[str, Any], filled: str
) -> None:
    value = template(text).read(record)
    assert (type(value), value) == (Incomplete, "")
    value = template(text, fill=True).read(record)
    assert (type(value), value) == (Incomplete, filled)


def test_a_template_of_which_nothing_is_there_is_null() -> None:
    for fill in (False, True):
        assert template("{first} {last}!", fill=fill).read({"first": ""}) is None


@pytest.mark.parametrize(
    ("source", "record", "value"),
    [
        ({"coalesce": ["a", "b.c", {"constant": "none"}]}, {"a": None, "b": {"c": "x"}}, "x"),
        ({"coalesce": ["a", "b.c", {"constant": "none"}]}, {"a": ""}, "none"),
        ({"coalesce": ["{a}-{b}", "a"]}, {"a": "x"}, "x"),
        ({"coalesce": ["a", "b"]}, {}, MISSING),
        ({"coalesce": ["a", "b"]}, {"a": None}, MISSING),
        ({"coalesce": ["a", "b"], "default": "d"}, {"a": None}, "d"),
        ({"field": "a", "lower": True, "strip": True}, {"a": " Bob@X.example "}, "bob@x.example"),
        ({"template": "{a}", "lower": True}, {"a": "Bob"}, "bob"),
        ({"field": "a", "strip": True, "default": "d"}, {"a": "  "}, "d"),
        ({"field": "a", "lower": True}, {"a": 5}, 5),
        ({"field": "a", "lower": True}, {}, MISSING),
        ({"field": "a.b"}, {"a.b": 1, "a": {"b": 2}}, 1),
        ({"constant": 0}, {}, 0),
    ],
)
def test_sources(source: Any, record: dict[str, Any], value: Any) -> None:
    assert parse_source(source).expression.read(record) == value


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"coalesce": "a"}, "a list of sources"),
        ({"coalesce": []}, "a list of sources"),
        ({"coalesce": ["a", 5]}, "a source is a field"),
        ({"coalesce": ["a", {"field": "b", "date_format": "iso"}]}, "beside coalesce"),
        ({"field": "a", "lower": "yes"}, "lower is true or false"),
        ({"field": "a", "date_format": ["iso", 5]}, "date_format 5"),
        ({"field": "a", "time_zone": "Mars/Base"}, "time_zone 'Mars/Base'"),
        ("", "a source is a field"),
        (["a"], "a source is a field"),
    ],
)
def test_what_is_no_source(source: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_source(source)


def test_a_mapping_knows_which_fields_a_source_reads() -> None:
    source = parse_source({"coalesce": ["a.b", "{c} {d.e}"]})
    assert source.expression.fields == ("a", "c", "d")
    assert source.expression.consumes == ("a",)


def test_a_text_of_several_values_is_split() -> None:
    read = parse_source({"field": "regions", "split": ";"}).expression.read
    assert read({"regions": "North; South;;"}) == ["North", "South"]
    assert read({"regions": ["North"]}) == ["North"]
    assert read({"regions": None}) is None
