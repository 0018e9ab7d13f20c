"""docs/settings.md, meltano.yml and .env.example say of the settings what the plugins say."""

from __future__ import annotations

from typing import Any

import pytest
import settings_pages
import toolbox
import yaml

from tap_totango.config_schema import COMMANDS as OF_THE_TAP
from target_totango.config_schema import COMMANDS as OF_THE_TARGET


@pytest.fixture(scope="module")
def meltano() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((toolbox.ROOT / "meltano.yml").read_text("utf-8"))
    return content


@pytest.fixture(scope="module")
def declared(meltano: dict[str, Any]) -> dict[str, Any]:
    plugins = (*meltano["plugins"]["extractors"], *meltano["plugins"]["loaders"])
    return {plugin["name"]: plugin for plugin in plugins}


@pytest.mark.parametrize("page", settings_pages.PAGES)
def test_page_is_in_step(page: str) -> None:
    present = (toolbox.ROOT / page).read_text(encoding="utf-8")
    wanted = settings_pages.PAGES[page](present)
    assert wanted == present, f"{page} is out of step with --about: run `make docs`."


@pytest.mark.parametrize("plugin", settings_pages.PLUGINS)
def test_meltano_knows_every_setting_and_hides_the_secret_ones(
    declared: dict[str, Any], plugin: str
) -> None:
    settings = {setting["name"]: setting for setting in declared[plugin]["settings"]}
    known = settings_pages.settings_of(plugin)
    assert set(settings) == set(known)
    secrets = {name for name, schema in known.items() if schema.get("secret")}
    assert "app_token" in secrets
    assert {name for name, one in settings.items() if one.get("sensitive")} == secrets
    assert all(one["kind"] != "number" for one in settings.values())


@pytest.mark.parametrize("plugin", settings_pages.PLUGINS)
def test_meltano_knows_every_capability(declared: dict[str, Any], plugin: str) -> None:
    said = set(settings_pages.about(plugin)["capabilities"])
    assert set(declared[plugin]["capabilities"]) == said


@pytest.mark.parametrize("plugin", settings_pages.PLUGINS)
def test_shared_settings_are_there_and_explained(plugin: str) -> None:
    known = settings_pages.settings_of(plugin)
    assert set(settings_pages.SHARED) <= set(known)
    for name, schema in known.items():
        assert schema.get("description"), f"{plugin} does not say what {name} means"


def test_shared_settings_mean_the_same_in_both() -> None:
    tap, target = (settings_pages.settings_of(plugin) for plugin in settings_pages.PLUGINS)
    for name in settings_pages.SHARED:
        assert tap[name] == target[name], name


def test_nothing_in_meltano_yml_needs_the_hub(
    meltano: dict[str, Any], declared: dict[str, Any]
) -> None:
    assert all(plugin.get("namespace") for plugin in declared.values())
    assert meltano["send_anonymous_usage_stats"] is False
    assert "version" not in meltano


@pytest.mark.parametrize(
    ("plugin", "words"), [("tap-totango", OF_THE_TAP), ("target-totango", OF_THE_TARGET)]
)
def test_meltano_knows_every_command(
    declared: dict[str, Any], plugin: str, words: dict[str, str]
) -> None:
    commands = declared[plugin]["commands"]
    assert list(commands) == list(words)
    assert all(
        command["args"].startswith(f"{word} --config=ENV") for word, command in commands.items()
    )
