"""What the page about messages quotes is what the programs say, and its settings are theirs."""

from __future__ import annotations

import ast
import re

import pytest
import settings_pages
import toolbox

PACKAGES = ("tap_totango", "target_totango", "totango_api")
ROWS = [
    line
    for line in (toolbox.ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8").split("\n")
    if line.startswith("| `")
]


@pytest.fixture(scope="module")
def texts() -> str:
    """Every text of the programs, a line each, with … for what is put in."""
    said: list[str] = []
    for package in PACKAGES:
        for path in sorted((toolbox.ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = [p.value if isinstance(p, ast.Constant) else "…" for p in node.values]
                    said.append("".join(map(str, parts)))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    said.append(re.sub(r"%[sdr]|%\.?\d*f", "…", node.value))
    return "\n".join(said)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[3:40])
def test_a_message_is_one_that_is_said(texts: str, row: str) -> None:
    quoted = row.split("`")[1]
    for fragment in filter(str.strip, quoted.split("…")):
        assert fragment.strip() in texts, fragment
    assert quoted in texts, "the parts stand in different messages"


def test_the_settings_of_the_page_exist() -> None:
    known = {
        *settings_pages.settings_of("tap-totango"),
        *settings_pages.settings_of("target-totango"),
    }
    named = {
        name
        for row in ROWS
        for name in re.findall(r"`([a-z]+(?:_[a-z]+)+)(?:: [a-z]+)?`", row.split("|", 2)[2])
    }
    assert named - known <= {"replication_key_value"}
    assert len(named) > 10
