"""The settings in examples/ are ones that the programs take, and say one thing in all places."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import jsonschema
import pytest
import settings_pages
import toolbox
import yaml

EXAMPLES = toolbox.ROOT / "examples"


def example(name: str) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    return settings


@pytest.mark.parametrize(
    ("plugin", "name"),
    [
        ("tap-totango", "totango-to-files/tap-totango.json"),
        ("target-totango", "csv-to-totango/target-totango.json"),
    ],
)
def test_plugin_takes_its_example(plugin: str, name: str) -> None:
    # The SDK's own ones are left out: what --about says of them is no valid JSON Schema.
    own = {
        setting: schema
        for setting, schema in settings_pages.settings_of(plugin).items()
        if setting not in settings_pages.BUILT_IN
    }
    schema = {"type": "object", "properties": own, "additionalProperties": False}
    jsonschema.validate(example(name), schema)


def test_meltano_maps_the_example_files_as_the_json_example_does() -> None:
    meltano = yaml.safe_load((toolbox.ROOT / "meltano.yml").read_text(encoding="utf-8"))
    (declared,) = (
        plugin["config"]
        for plugin in meltano["plugins"]["extractors"]
        if plugin["name"] == "tap-csv-folder"
    )
    assert declared == example("csv-to-totango/tap-csv-folder.json")


def test_every_tool_has_an_exact_version_and_meltano_the_same() -> None:
    assert all("==" in pin for pins in toolbox.TOOLS.values() for pin in pins)
    meltano = yaml.safe_load((toolbox.ROOT / "meltano.yml").read_text(encoding="utf-8"))
    plugins = meltano["plugins"]
    for plugin in (*plugins["extractors"], *plugins["loaders"]):
        if plugin["name"] in toolbox.TOOLS:
            assert plugin["pip_url"] == toolbox.TOOLS[plugin["name"]][0]


def written_files() -> set[str]:
    """Files that commands of the documentation read or write, outside examples/."""
    pages = [toolbox.ROOT / "README.md", *toolbox.ROOT.glob("docs/**/*.md")]
    pages += EXAMPLES.glob("**/*.md")
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    named = re.findall(r"(?:--config|--state|>>?) ([\w./-]+\.\w+)|TENANTS=([\w./]+)", text)
    files = {one or other for one, other in named}
    return {name for name in files if not name.startswith(("examples/", "/"))}


@pytest.mark.skipif(not (toolbox.ROOT / ".git").exists(), reason="is no clone")
def test_files_that_may_hold_tokens_or_rows_are_ignored_by_git() -> None:
    files = written_files()
    assert {"tap.json", "target.json", "postgres.json", "tenants.json"} <= files
    ask = ["git", "check-ignore", *sorted(files)]
    done = subprocess.run(ask, cwd=toolbox.ROOT, capture_output=True, text=True, check=False)
    assert files - set(done.stdout.split()) == set()
