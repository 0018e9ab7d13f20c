"""What is said of settings that do not fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_totango.tap import TapTotango
from target_totango.target import TargetTotango
from totango_api.errors import SettingsError
from totango_api.plugin_config import check_settings, read_config

if TYPE_CHECKING:
    from pathlib import Path

# Their own: the SDK puts settings into the other ones when a command runs, even in another module.
FORMS = [
    pytest.param(plugin, name, properties, id=f"{plugin.name}:{name}")
    for plugin in (TapTotango, TargetTotango)
    for properties in [plugin.own_schema["properties"]]
    for name, schema in properties.items()
    if "pattern" in schema
]


@pytest.mark.parametrize(("plugin", "name", "properties"), FORMS)
def test_a_setting_of_a_certain_form_is_shown_by_an_example(
    plugin: Any, name: str, properties: dict[str, Any]
) -> None:
    with pytest.raises(SettingsError) as raised:
        check_settings({name: "hidden"}, plugin)
    assert properties[name]["examples"][0] in str(raised.value)
    assert properties[name]["pattern"] not in str(raised.value)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize(("plugin", "name", "properties"), FORMS)
def test_examples_of_a_form_fit_it(plugin: Any, name: str, properties: dict[str, Any]) -> None:
    for example in properties[name]["examples"]:
        check_settings({name: example}, plugin)


NUMBERS = [
    pytest.param(plugin, name, schema, id=f"{plugin.name}:{name}")
    for plugin in (TapTotango, TargetTotango)
    for name, schema in plugin.own_schema["properties"].items()
    if {"number", "integer"} & set(schema["type"]) and "string" not in schema["type"]
]


@pytest.mark.parametrize(("plugin", "name", "schema"), NUMBERS)
@pytest.mark.parametrize("way", ["file", "text in a file", "environment"])
def test_one_can_reckon_with_numbers(
    plugin: Any,
    name: str,
    schema: dict[str, Any],
    way: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind, text = (float, "0.50") if "number" in schema["type"] else (int, "5.0")
    if way == "environment":
        monkeypatch.setenv(f"{plugin.name}_{name}".upper().replace("-", "_"), text)
        config = read_config(plugin, ["ENV"])
    else:
        file = tmp_path / "config.json"
        file.write_text(f'{{"{name}": {text if way == "file" else json.dumps(text)}}}')
        config = read_config(plugin, [str(file)])
    assert config[name] == float(text)
    assert type(config[name]) is kind
