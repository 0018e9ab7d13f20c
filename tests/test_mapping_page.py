"""The examples in docs/mapping.md and docs/recipes.md do what they say."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import toolbox
from transformed import transform

from target_totango.config import Settings
from target_totango.config_schema import OWN_SETTINGS
from target_totango.mapping.compiler import compile_stream
from target_totango.mapping.config import mappings_of
from target_totango.mapping.known_attributes import KnownAttributes
from target_totango.mapping.policy import POLICY_SETTINGS
from target_totango.mapping.segment import SEGMENT_SETTINGS, Segment
from target_totango.mapping.segment.rows import NotWritten

if TYPE_CHECKING:
    from target_totango.mapping.compiler.stream_mapping import StreamMapping

PAGE = (toolbox.ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
RECIPES = (toolbox.ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE + RECIPES, re.DOTALL)
KNOWN = KnownAttributes.of()


def ways_of(example: dict[str, Any]) -> list[tuple[StreamMapping, dict[str, Any]]]:
    """What becomes of an example's record: mappings, each with the record for it."""
    settings, record = Settings.from_config(example.get("settings", {})), example["record"]
    named = [entry["stream"] for entry in example.get("settings", {}).get("mappings", ())]
    stream = example.get("stream", named[0] if named else "accounts")
    if settings.preset is not None:
        preset = Segment(KNOWN, settings.default_mapping, settings.segment)
        calls = preset.stream(stream, record, mappings_of(stream, settings.mappings))
        rows = calls.rows(record) if calls is not None else NotWritten("no call")
        assert not isinstance(rows, NotWritten)
        return rows
    mappings = compile_stream(
        stream,
        settings.mappings_for(stream),
        schema={"properties": {name: {} for name in record}},
        keys=(),
        known=KNOWN,
    )
    return [(mapping, record) for mapping in mappings]


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_does_what_it_says(text: str) -> None:
    example = json.loads(text, parse_float=Decimal)
    rows = [transform(mapping, record) for mapping, record in ways_of(example)]
    errors = [error.reason for row in rows for error in row.errors]
    assert errors == example.get("rejects", [])
    if "rejects" in example:
        return
    writes = []
    for row in rows:
        request = row.request
        ids = {"account_id": request.account_id, "user_id": request.user_id, **request.parts}
        named = {name: text for name, text in ids.items() if text is not None}
        writes.append({**named, **request.account, **request.user, **request.fields})
    expected = example["writes"]
    assert writes == (expected if isinstance(expected, list) else [expected])


def test_every_setting_about_mapping_is_explained() -> None:
    for name in (*POLICY_SETTINGS, *SEGMENT_SETTINGS, "attributes_path", "preset"):
        assert name in OWN_SETTINGS
        assert f"`{name}" in PAGE, f"{name} is not explained in docs/mapping.md"
