"""docs/settings.md, meltano.yml and .env.example say of the settings what the plugins say."""

from __future__ import annotations

import pytest
import settings_pages
import toolbox
import yaml

from tap_totango.config_schema import COMMANDS as OF_THE_TAP
from target_totango.config_schema import COMMANDS as OF_THE_TARGET

MELTANO = yaml.safe_load((toolbox.ROOT / "meltano.yml").read_text(encoding="utf-8"))
DECLARED = {
    plugin["name"]: plugin
    for plugin in (*MELTANO["plugins"]["extractors"], *MELTANO["plugins"]["loaders"])
}


@pytest.mark.parametrize("page", settings_pages.PAGES)
def test_page_is_in_step(page: str) -> None:
    present = (toolbox.ROOT / page).read_text(encoding="utf-8")
    wanted = settings_pages.PAGES[page](present)
    assert wanted == present, f"{page} is out of step with --about: run `make docs`."


@pytest.mark.parametrize("plugin", settings_pages.PLUGINS)
def test_meltano_knows_every_setting_and_hides_the_secret_ones(plugin: str) -> None:
    declared = {setting["name"]: setting for setting in DECLARED[plugin]["settings"]}
    known = settings_pages.settings_of(plugin)
    assert set(declared) == set(known)
    secrets = {name for name, schema in known.items() if schema.get("secret")}
    assert "app_token" in secrets
    assert {name for name, one in declared.items() if one.get("sensitive")} == secrets
    assert all(one["kind"] != "number" for one in declared.values())


@pytest.mark.parametrize("plugin", settings_pages.PLUGINS)
def test_meltano_knows_every_capability(plugin: str) -> None:
    said = set(settings_pages.about(plugin)["capabilities"])
    assert set(DECLARED[plugin]["capabilities"]) == said


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


def test_nothing_in_meltano_yml_needs_the_hub() -> None:
    assert all(plugin.get("namespace") for plugin in DECLARED.values())
    assert MELTANO["send_anonymous_usage_stats"] is False
    assert "version" not in MELTANO


@pytest.mark.parametrize(
    ("plugin", "words"), [("tap-totango", OF_THE_TAP), ("target-totango", OF_THE_TARGET)]
)
def test_meltano_knows_every_command(plugin: str, words: dict[str, str]) -> None:
    commands = DECLARED[plugin]["commands"]
    assert list(commands) == list(words)
    assert all(
        command["args"].startswith(f"{word} --config=ENV") for word, command in commands.items()
    )
