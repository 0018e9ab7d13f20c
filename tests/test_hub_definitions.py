"""What hub/ says of the plugins: in step with them, and in the form of Meltano Hub."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import hub_definitions
import pytest
import toolbox
import yaml

if TYPE_CHECKING:
    from pathlib import Path

REQUIRED = {"name", "namespace", "variant", "quality"}
"""By schemas/common/common.schema.json and schemas/plugin_definitions/ of meltano/hub."""
QUALITIES = {"gold", "silver", "bronze", "unknown"}
STATUSES = {"active", "beta", "development", "inactive", "unknown"}


@pytest.mark.parametrize("path", hub_definitions.FILES)
def test_it_is_in_step_with_the_plugin(path: str) -> None:
    present = (toolbox.ROOT / path).read_text(encoding="utf-8")
    assert hub_definitions.page(hub_definitions.FILES[path]) == present, "run `make docs`"


@pytest.mark.slow
@pytest.mark.parametrize("path", hub_definitions.FILES)
def test_meltano_s_schema_takes_it(path: str, tmp_path: Path) -> None:
    defined = yaml.safe_load((toolbox.ROOT / path).read_text(encoding="utf-8"))
    entry = {key: value for key, value in defined.items() if key not in hub_definitions.HUB_ONLY}
    project = tmp_path / "meltano.yml"
    project.write_text(yaml.safe_dump({"plugins": {path.split("/")[1]: [entry]}}))
    check = [toolbox.BIN / "check-jsonschema", "--builtin-schema", "vendor.meltano", project]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", hub_definitions.FILES)
def test_the_hub_s_own_fields_are_there(path: str) -> None:
    defined = yaml.safe_load((toolbox.ROOT / path).read_text(encoding="utf-8"))
    assert set(defined) >= REQUIRED
    assert defined["quality"] in QUALITIES
    assert defined["maintenance_status"] in STATUSES
    assert "3.11" in defined["supported_python_versions"]
    assert {"check", "probe"} <= set(defined["commands"])
    names = [setting["name"] for setting in defined["settings"]]
    assert len(names) == len(set(names))
    assert {name for group in defined["settings_group_validation"] for name in group} <= set(names)
    values = [option["value"] for one in defined["settings"] for option in one.get("options", ())]
    assert values
    assert all(isinstance(value, str) for value in values)
