"""No message names a setting that the program which says it does not have."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
import settings_pages
import toolbox

from totango_api.errors import ResponseError
from totango_api.search.reference_lists import rows_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TAP, TARGET = (set(settings_pages.settings_of(name)) for name in ("tap-totango", "target-totango"))
FOREIGN = {
    "totango_api": TAP ^ TARGET,
    "totango_api/writing": TAP - TARGET,
    "tap_totango": TARGET - TAP,
    "target_totango": TAP - TARGET,
}
"""Settings that not every program has in which code of a folder runs."""

ALLOWED = {
    ("totango_api/http/responses.py", "sdr_token"),  # of tracking calls, which the target makes
    ("totango_api/search/pasted/query_parser.py", "team_id"),  # of a query, too
}


def sentences(path: Path) -> Iterator[str]:
    """Return the texts of several words in a module, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value if " " in node.value and "(?" not in node.value else ""


@pytest.mark.parametrize("folder", FOREIGN)
def test_a_message_names_settings_that_the_program_has(folder: str) -> None:
    named = {
        (path.relative_to(toolbox.ROOT).as_posix(), word)
        for path in (toolbox.ROOT / folder).rglob("*.py")
        if folder != "totango_api" or "writing" not in path.parts
        for text in sentences(path)
        for word in re.findall(r"[a-z]+(?:_[a-z]+)+", text)
    }
    assert {(path, word) for path, word in named if word in FOREIGN[folder]} <= ALLOWED


def test_only_a_list_of_ones_own_is_told_to_name_its_rows() -> None:
    with pytest.raises(ResponseError, match="no list") as error:
        rows_in({"a": 1}, "GET /api/v3/touchpoint-types/")
    assert error.value.remedy == ""
