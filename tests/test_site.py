"""The pages of docs/ build as a site, strictly."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
import toolbox

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [toolbox.BIN / "mkdocs", "build", "--strict", "--site-dir", tmp_path],
        cwd=toolbox.ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    start = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Start in five minutes" in start
    assert (tmp_path / "decisions" / "index.html").exists()
    assert 'class="mermaid"' in (tmp_path / "architecture" / "index.html").read_text()


def test_the_readme_is_one_screen_and_warns_of_the_other_tap() -> None:
    text = (toolbox.ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80
    assert "`pip install tap-totango` brings an old" in text
