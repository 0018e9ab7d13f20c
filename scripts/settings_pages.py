"""Every page that lists settings, written from what the plugins say of themselves.

`python scripts/settings_pages.py` names the pages that are out of step and fails; with `--write`
it brings them into step. The pages are the tables of docs/settings.md, the plugins' settings in
meltano.yml, and .env.example.
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

import yaml
from toolbox import ROOT
from written_pages import between, check_or_write

from tap_totango.tap import TapTotango
from target_totango.target import TargetTotango

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.plugin_base import PluginBase

PLUGINS: Final[dict[str, type[PluginBase]]] = {
    "tap-totango": TapTotango,
    "target-totango": TargetTotango,
}

SHARED: Final = (
    "app_token",
    "region",
    "service_id",
    "api_url",
    "tracking_url",
    "hub_url",
    "request_timeout",
    "max_retry_seconds",
    "rate_limit_per_minute",
    "user_agent",
    "report_path",
    "report_history_path",
    "notify_webhook",
    "notify_command",
    "notify_email_to",
    "notify_email_from",
    "notify_smtp",
    "notify_smtp_user",
    "notify_smtp_password",
)
"""What both plugins have in common: how to reach Totango, and who is told."""

BUILT_IN: Final = (
    "add_record_metadata",
    "batch_config",
    "batch_size_rows",
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "flattening_separator",
    "load_method",
    "process_activate_version_messages",
    "stream_map_config",
    "stream_maps",
    "validate_records",
)
"""What the SDK gives every plugin."""

IN_ENV_FILE: Final = ("app_token", "region", "service_id")
"""What has to differ from user to user; the rest is better kept in meltano.yml."""

_KINDS: Final = {
    "integer": "integer",
    "number": "decimal",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
    "string": "string",
}

Schema = dict[str, Any]


@cache
def about(plugin: str) -> dict[str, Any]:
    """Return what `--about --format json` says."""
    with redirect_stdout(StringIO()) as output:
        PLUGINS[plugin].print_about("json")
    said: dict[str, Any] = json.loads(output.getvalue())
    return said


def settings_of(plugin: str) -> dict[str, Schema]:
    """Return the JSON Schema of each setting, ours before the SDK's."""
    found: dict[str, Schema] = about(plugin)["settings"]["properties"]
    return dict(sorted(found.items(), key=lambda item: item[0] in BUILT_IN))


def types_of(schema: Schema) -> list[str]:
    """Return the JSON types that a setting takes, null aside."""
    stated = schema.get("type")
    if stated is None:
        branches = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        return list(dict.fromkeys(name for branch in branches for name in types_of(branch)))
    names = [stated] if isinstance(stated, str) else stated
    return [name for name in names if name != "null"]


def options_of(schema: Schema) -> list[Any]:
    """Return the values that a setting is limited to; none when it is not."""
    return [value for value in schema.get("enum", ()) if value is not None]


def kind_of(schema: Schema) -> str:
    """Return Meltano's name for the type. Text goes first: it can hold any of the others."""
    if options_of(schema):
        return "options"
    if schema.get("format") == "date-time":
        return "date_iso8601"
    types = types_of(schema)
    if types == ["number"] and isinstance(schema.get("default"), int):
        # Meltano 4.4 fails on a decimal that comes from a variable ("Decimal is not JSON
        # serializable"). Numbers in meltano.yml itself are passed on as they are in any case.
        return "integer"
    return "string" if "string" in types or not types else _KINDS[types[0]]


def meltano_setting(name: str, schema: Schema) -> dict[str, Any]:
    """Return a setting as meltano.yml lists it."""
    setting: dict[str, Any] = {"name": name, "kind": kind_of(schema)}
    setting["label"] = schema.get("title") or name.replace("_", " ").capitalize()
    if schema.get("description"):
        setting["description"] = " ".join(schema["description"].split())
    if schema.get("secret"):
        setting["sensitive"] = True
    if schema.get("default") is not None and name not in BUILT_IN:
        setting["value"] = schema["default"]
    if setting["kind"] == "options":
        setting["options"] = [{"label": str(value), "value": value} for value in options_of(schema)]
    return setting


def meltano_page(page: str) -> str:
    """Return meltano.yml with the settings of both plugins."""
    for plugin in PLUGINS:
        settings = [meltano_setting(*item) for item in settings_of(plugin).items()]
        dumped = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=10_000)
        block = "".join(f"        {line}\n" for line in dumped.splitlines())
        start, end = f"      settings: # {plugin}\n", "      # end\n"
        page = between(page, start, end, block)
    return page


def table(plugin: str, names: Sequence[str]) -> str:
    """Return settings as a Markdown table."""
    lines = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for name in names:
        schema = settings_of(plugin)[name]
        type_text = " or ".join(types_of(schema)) or "any"
        if options := options_of(schema):
            type_text = ", ".join(f"`{value}`" for value in options)
        if schema.get("secret"):
            type_text += " (secret)"
        default = schema.get("default")
        shown = "" if default is None else f"`{json.dumps(default)}`".replace('"', "")
        meaning = " ".join(schema.get("description", "").split()).replace("|", "\\|")
        lines.append(f"| `{name}` | {type_text} | {shown} | {meaning} |")
    return "\n".join(lines) + "\n"


def reference_page(page: str) -> str:
    """Return docs/settings.md with its tables of settings."""
    tap, target = (settings_of(plugin) for plugin in PLUGINS)
    both = [name for name in SHARED if name in tap and name in target]
    tables = {
        "shared": table("tap-totango", both),
        "tap": table("tap-totango", [name for name in tap if name not in (*both, *BUILT_IN)]),
        "target": table(
            "target-totango", [name for name in target if name not in (*both, *BUILT_IN)]
        ),
        "tap-built-in": table("tap-totango", [name for name in tap if name in BUILT_IN]),
        "target-built-in": table("target-totango", [name for name in target if name in BUILT_IN]),
    }
    for name, text in tables.items():
        page = between(page, f"<!-- settings: {name} -->\n", "<!-- end -->\n", text)
    return page


def env_page(_page: str) -> str:
    """Return .env.example."""
    lines = [
        "# Copy to .env: Meltano reads it, and so do both plugins with --config=ENV.",
        "# Put tokens in single quotes: they may hold $ and { }, which would mean something here.",
    ]
    for plugin in PLUGINS:
        lines.append("")
        for name in IN_ENV_FILE:
            schema = settings_of(plugin)[name]
            lines.append(f"# {' '.join(schema.get('description', '').split())}")
            default = schema.get("default")
            variable = f"{plugin}_{name}".replace("-", "_").upper()
            lines.append(f"{variable}={'' if default is None else default}")
    return "\n".join(lines) + "\n"


PAGES: Final = {
    "docs/settings.md": reference_page,
    "meltano.yml": meltano_page,
    ".env.example": env_page,
}


def main() -> int:
    """Check, or write."""
    wanted = {}
    for name, render in PAGES.items():
        path = ROOT / name
        wanted[path] = render(path.read_text(encoding="utf-8") if path.exists() else "")
    return check_or_write(wanted)


if __name__ == "__main__":
    sys.exit(main())
