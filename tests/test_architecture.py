"""The project's own map says what is there."""

from __future__ import annotations

import re

import architecture
import pytest
import toolbox

PAGES = ("CONTRIBUTING.md", "docs/architecture.md")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def test_pictures_are_in_step() -> None:
    present = architecture.PAGE.read_text(encoding="utf-8")
    assert architecture.page(present) == present, "run `make docs`"


@pytest.mark.parametrize("page", PAGES)
def test_files_that_it_names_are_there(page: str) -> None:
    text = (toolbox.ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:tap_totango|target_totango|totango_\w+|tests)/[\w/.]+)`", text)
    assert named
    assert [name for name in named if not (toolbox.ROOT / name).exists()] == []


def test_links_lead_to_files() -> None:
    pages = [*toolbox.ROOT.glob("*.md"), *(toolbox.ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.name}: {link}"
        for page in pages
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []


def test_an_arrow_that_follows_from_others_is_left_out() -> None:
    arrows = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert architecture.reduced(arrows) == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_make_help_names_every_target() -> None:
    text = (toolbox.ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(text.split(".PHONY:")[1].replace("\\\n", " ").split("\n")[0].split())
    assert targets == set(re.findall(r"^([a-z-]+):.* ## ", text, re.MULTILINE))
