"""What Meltano Hub is to say of both plugins, in its own form: written into hub/ from `--about`.

Commands are those of meltano.yml.

The form is that of https://github.com/meltano/hub, `schemas/plugin_definitions`: beside what
meltano.yml takes it has a variant, a quality and a maintenance status.
"""

from __future__ import annotations

import sys
import tomllib
from typing import Any, Final

import yaml
from settings_pages import about, meltano_setting, settings_of
from toolbox import ROOT
from written_pages import check_or_write

FILES: Final = {
    "hub/extractors/tap-totango.yml": "tap-totango",
    "hub/loaders/target-totango.yml": "target-totango",
}
VARIANT: Final = "singer-totango"
HUB_ONLY: Final = (
    "definition",
    "domain_url",
    "keywords",
    "log_parser",
    "maintenance_status",
    "quality",
    "supported_python_versions",
)
"""What a definition says beside what an entry of meltano.yml may."""

_PURPOSE: Final = {
    "tap-totango": "Accounts, users, events and attribute definitions of a Totango service",
    "target-totango": "Rows of any stream into a Totango service, each confirmed or explained",
}
_REQUIRED: Final = {"tap-totango": [["app_token"]], "target-totango": [["service_id"]]}
_CLASSIFIER: Final = "Programming Language :: Python :: 3."


def definition(plugin: str) -> dict[str, Any]:
    """Return a plugin's definition."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    repository = project["urls"]["Repository"]
    said = about(plugin)
    defined = {
        "name": plugin,
        "namespace": plugin.replace("-", "_"),
        "variant": VARIANT,
        "label": "Totango",
        "description": _PURPOSE[plugin],
        "definition": f"takes {_PURPOSE[plugin][0].lower()}{_PURPOSE[plugin][1:]}",
        "domain_url": "https://www.totango.com",
        "repo": repository,
        "docs": project["urls"]["Documentation"],
        "pip_url": f"git+{repository}.git",
        "executable": plugin,
        "commands": _commands(plugin),
        "capabilities": sorted(said["capabilities"]),
        "keywords": ["api", "meltano_sdk"],
        "log_parser": "singer-sdk",
        "maintenance_status": "beta",
        "quality": "unknown",
        "settings_group_validation": _REQUIRED[plugin],
        "supported_python_versions": [
            line.rpartition(" ")[2]
            for line in project["classifiers"]
            if line.startswith(_CLASSIFIER)
        ],
        "settings": [_setting(*item) for item in settings_of(plugin).items()],
    }
    if plugin.startswith("tap-"):
        defined["select"] = ["accounts.*", "users.*"]
    return defined


def _commands(plugin: str) -> dict[str, Any]:
    declared = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["plugins"]
    entries = {entry["name"]: entry for kind in declared.values() for entry in kind}
    commands: dict[str, Any] = entries[plugin]["commands"]
    return commands


def page(plugin: str) -> str:
    """Return a definition as YAML."""
    dumped = yaml.safe_dump(definition(plugin), sort_keys=False, allow_unicode=True, width=10_000)
    sources = f"`{plugin} --about`, meltano.yml and pyproject.toml"
    return f"# Written by `make docs` from {sources}.\n{dumped}"


def _setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    setting = meltano_setting(name, schema)
    for option in setting.get("options", ()):
        option["value"] = str(option["value"])
    return setting


def main() -> int:
    """Check, or write."""
    return check_or_write({ROOT / path: page(plugin) for path, plugin in FILES.items()})


if __name__ == "__main__":
    sys.exit(main())
