"""What is said of settings that do not fit."""

from __future__ import annotations

from typing import Any

import pytest

from tap_totango.tap import TapTotango
from target_totango.target import TargetTotango
from totango_api.errors import SettingsError
from totango_api.plugin_config import check_settings

# Their own: the SDK puts settings into the other ones when a command runs, even in another module.
FORMS = [
    pytest.param(plugin.name, name, properties, id=f"{plugin.name}:{name}")
    for plugin in (TapTotango, TargetTotango)
    for properties in [plugin.own_schema["properties"]]
    for name, schema in properties.items()
    if "pattern" in schema
]


@pytest.mark.parametrize(("plugin", "name", "properties"), FORMS)
def test_a_setting_of_a_certain_form_is_shown_by_an_example(
    plugin: str, name: str, properties: dict[str, Any]
) -> None:
    with pytest.raises(SettingsError) as raised:
        check_settings({name: "hidden"}, properties, (), plugin=plugin)
    assert properties[name]["examples"][0] in str(raised.value)
    assert properties[name]["pattern"] not in str(raised.value)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize(("plugin", "name", "properties"), FORMS)
def test_examples_of_a_form_fit_it(plugin: str, name: str, properties: dict[str, Any]) -> None:
    for example in properties[name]["examples"]:
        check_settings({name: example}, properties, (), plugin=plugin)
