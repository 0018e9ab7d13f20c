"""Where a subcommand stands on a command line."""

from __future__ import annotations

import pytest

from totango_api.command import command_in


@pytest.mark.parametrize(
    ("line", "found", "left"),
    [
        ("check --config c.json", "check", "--config c.json"),
        ("--config c.json check", "check", "--config c.json"),
        ("--config check --about", None, "--config check --about"),
        ("--config check check", "check", "--config check"),
        ("--about check", "check", "--about"),
        ("rows.jsonl check", None, "rows.jsonl check"),
        ("", None, ""),
    ],
)
def test_the_first_argument_that_is_no_option_may_be_one(
    line: str, found: str | None, left: str
) -> None:
    assert command_in(line.split(), {"check": "Says so."}) == (found, left.split())
