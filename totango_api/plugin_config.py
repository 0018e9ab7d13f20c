"""Declares settings, and reads and checks their values: from files, the environment, texts."""

from __future__ import annotations

import copy
import functools
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec
from jsonschema_rs import validator_for

from totango_api.errors import SettingsError
from totango_api.redaction import register_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def setting(
    kinds: str | Sequence[str], title: str, description: str, **more: Any
) -> dict[str, Any]:
    """Return the JSON Schema of a setting, which may be null.

    Args:
        kinds: JSON types of its values.
        title: What it is called.
        description: What it is for.
        more: Other keys of the schema.
    """
    types = [kinds] if isinstance(kinds, str) else kinds
    return {"type": [*types, "null"], "title": title, "description": description, **more}


def config_input(
    plugin: Any,
    paths: tuple[str, ...],
    read: Callable[[tuple[str, ...]], Any],
    parse: Callable[[dict[str, Any]], dict[str, Any]],
) -> Any:
    """Return what `--config` names: files, and for the word `ENV` the environment.

    Args:
        plugin: The plugin's class.
        paths: The values of `--config`.
        read: Reads the files, as the SDK does.
        parse: Reads the variables of the properties of a JSON Schema.

    Raises:
        SettingsError: If a file cannot be read, or is no JSON object.
    """
    try:
        given = read(paths)
    except (OSError, ValueError, TypeError) as error:  # simplejson has an error of its own
        what = "cannot be read" if isinstance(error, OSError) else "is not a JSON object"
        msg = f"A file of --config ({', '.join(paths)}) {what}."
        raise SettingsError(msg, remedy="Check the path and its contents.") from None
    if not given.parse_env:
        return given
    # As text: the SDK fails without a word on what is no number, and refuses 2.5 for one.
    properties = _all_settings(plugin)
    config = parse({"properties": {name: {"type": "string"} for name in properties}})
    respell(config, properties)
    return replace(given, config={**given.config, **config}, parse_env=False)


def read_config(plugin: Any, paths: Sequence[str]) -> dict[str, Any]:
    """Read configuration files, and the environment for the word `ENV`.

    Raises:
        SettingsError: If one cannot be read, or holds what no setting takes.
    """
    return checked_config(plugin, plugin.cb_config(None, None, tuple(paths)).config)


def checked_config(plugin: Any, config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with its texts respelled, its secrets registered and checked.

    Args:
        plugin: The plugin or its class. Its own settings (`own_schema`) are checked; what is
            missing is said by who needs it, and the SDK's settings are left to the SDK.
        config: Changed in place.

    Raises:
        SettingsError: If a setting is unknown, or does not fit its schema.
    """
    properties = plugin.own_schema["properties"]
    register_secrets(config, properties)
    respell(config, properties)
    check_settings(config, plugin if isinstance(plugin, type) else type(plugin))
    return config


@functools.cache
def _all_settings(plugin: Any) -> Mapping[str, Any]:
    """Return the JSON Schema of each setting of a class by its name, the SDK's included."""
    schema = copy.deepcopy(plugin.own_schema)
    plugin.append_builtin_config(schema)
    properties: Mapping[str, Any] = schema["properties"]
    return properties


def respell(config: dict[str, Any], properties: Mapping[str, Mapping[str, Any]]) -> None:
    """Spell settings as their schemas do that came as text, or as decimals out of a file.

    `EU ` becomes `eu`, `2.5` a number, `yes` true, `["a"]` and `a,b` lists, `{"a": 1}` an object.
    What does not fit stays text, which the schema then refuses. A blank one is not set.

    Args:
        config: Changed in place.
        properties: JSON Schema of each setting, by name.
    """
    for name, schema in properties.items():
        kinds = schema.get("type") or ()
        kinds = {kinds} if isinstance(kinds, str) else set(kinds)
        if isinstance(number := config.get(name), (Decimal, float)):
            config[name] = _number_of(number, kinds)
        if not isinstance(text := config.get(name), str):
            continue
        if text.strip().lower() in (schema.get("enum") or ()):
            config[name] = text.strip().lower()
        elif "string" in kinds or not kinds:
            continue
        elif text.strip():
            config[name] = _value_of(text.strip(), kinds)
        else:
            del config[name]


def _value_of(text: str, kinds: set[str]) -> Any:
    """Return the value that a text stands for, among these kinds; the text if for none."""
    if "boolean" in kinds and text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    with suppress(msgspec.DecodeError):
        value = msgspec.json.decode(text)
        if any(type(value) in _TYPES[kind] for kind in kinds):
            return _number_of(value, kinds) if isinstance(value, float) else value
    if "array" in kinds and text[0] not in "[{":
        return [part.strip() for part in text.split(",")]
    return text


def _number_of(number: Decimal | float, kinds: set[str]) -> float:
    """Return a number with which one can reckon: files give decimals, and `8.0` for 8."""
    number = float(number)
    return int(number) if "integer" in kinds and number.is_integer() else number


_TRUTHS: Final = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(
    ("false", "0", "no", "off"), False
)
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "boolean": (bool,),
    "integer": (int, float),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def check_settings(config: Mapping[str, Any], plugin: Any) -> None:
    """Check settings by their schemas, without their values in what is said.

    Args:
        config: The settings.
        plugin: The plugin's class, whose own settings are checked.

    Raises:
        SettingsError: If one has no schema, or does not fit it.
    """
    properties = plugin.own_schema["properties"]
    faults = [
        f"{'.'.join(map(str, fault.instance_path))} {_said_of(fault, properties)}".strip()
        for fault in _validator(plugin).iter_errors(dict(config))
    ]
    if faults:
        msg = f"Settings cannot be used: {'; '.join(faults)}."
        raise SettingsError(msg, remedy=f"`{plugin.name} --about` lists them all.")


@functools.cache
def _validator(plugin: Any) -> Any:
    """Return what checks the settings of a plugin's class: a run does so twice."""
    known = {**dict.fromkeys(_all_settings(plugin), True), **plugin.own_schema["properties"]}
    schema = {"properties": known, "additionalProperties": False}
    return validator_for(schema, mask="as it is set")


def _said_of(fault: Any, properties: Mapping[str, Any]) -> str:
    """Return what is wrong with a setting; an example where it is to have a certain form."""
    name = fault.instance_path[0] if fault.instance_path else ""
    examples = properties.get(name, {}).get("examples")
    if examples and fault.schema_path[-1] == "pattern":
        return f"as it is set does not look like {' or '.join(examples)}"
    return str(fault.message)
