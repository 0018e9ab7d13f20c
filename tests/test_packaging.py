"""What is built, installs and runs on its own, without the source tree and without the extra."""

from __future__ import annotations

import email
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
import toolbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

COMMANDS = ("tap-totango", "target-totango", "totango-sandbox")
PACKAGES = {"totango_api", "tap_totango", "target_totango", "totango_sandbox"}


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel built from it."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
    done = subprocess.run(
        [*build, str(toolbox.ROOT)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    (found,) = distributions.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def plain_install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds the wheel and what it depends on."""
    home = tmp_path_factory.mktemp("plain")
    toolbox.install(home, str(wheel))
    return home / "bin"


@pytest.mark.skipif(shutil.which("git") is None, reason="versions come from git")
def test_a_tag_is_the_version(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text((toolbox.ROOT / "pyproject.toml").read_text())
    author = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (
        ["init", "-q"],
        ["add", "."],
        [*author, "commit", "-qm", "x"],
        ["tag", "v7.8.9"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    show = [sys.executable, "-m", "hatchling", "version"]
    done = subprocess.run(show, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "7.8.9"


def test_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == PACKAGES
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "totango_sandbox/pages/templates/base.html" in names
    assert "totango_sandbox/pages/static/style.css" in names
    assert "totango_api/report/templates/run.html" in names


def test_sdist_holds_what_the_two_commands_need(distributions: Path) -> None:
    (found,) = distributions.glob("*.tar.gz")
    with tarfile.open(found) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for needed in ("Makefile", "meltano.yml", "scripts/demo.py", "examples/csv/companies.csv"):
        assert needed in names
    assert "tests/conftest.py" in names


def test_an_index_would_take_them(distributions: Path) -> None:
    check = [sys.executable, "-m", "twine", "check", "--strict", *distributions.iterdir()]
    done = subprocess.run(check, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_metadata_says_what_it_is(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (path,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = email.message_from_bytes(archive.read(path))
    assert metadata["Name"] == "singer-totango"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("Provides-Extra") == ["sandbox", "speed"]


@pytest.mark.timeout(600)
def test_plugins_run_without_the_sandbox_s_server(plain_install: Path) -> None:
    for command in COMMANDS:
        shown = subprocess.run(
            [plain_install / command, "--version"], capture_output=True, text=True, check=True
        )
        assert "0." in shown.stdout
        assert "not be detected" not in shown.stdout
    listed = [toolbox.BIN / "uv", "pip", "list", "--python", plain_install / "python"]
    done = subprocess.run([*listed, "--format", "json"], capture_output=True, check=True)
    names = {package["name"].lower() for package in json.loads(done.stdout)}
    assert {"singer-sdk", "requests", "aiohttp", "jinja2"} <= names
    assert not names & {"uvicorn", "uvloop", "httptools", "meltano", "pytest"}


def test_sandbox_without_its_server_says_what_to_install(plain_install: Path) -> None:
    done = subprocess.run(
        [plain_install / "totango-sandbox", "serve", "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "pip install '.[sandbox]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
