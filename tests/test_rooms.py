"""Rooms are entered by their door, what ``__init__`` exports; no module or function is long."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("totango_sandbox", "target_totango", "totango_api", "tap_totango")


def rooms(package):
    return [path.parent for path in (ROOT / package).glob("*/__init__.py")]


@functools.cache
def imported(module):
    """Every module that a file imports something from."""
    names = []
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_rooms_are_entered_by_their_door(package):
    inner = {f"{package}.{room.name}" for room in rooms(package)}
    broken = []
    for module in (path for each in PACKAGES for path in (ROOT / each).rglob("*.py")):
        home = ".".join(module.relative_to(ROOT).parts[:2])
        for name in imported(module):
            room = ".".join(name.split(".")[:2])
            if room in inner and room not in {home, name}:
                broken.append(f"{module.relative_to(ROOT)} imports {name}")
    assert broken == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_says_what_it_is_for(package):
    for room in rooms(package):
        door = ast.parse((room / "__init__.py").read_text())
        assert ast.get_docstring(door), room
        exported = next(node for node in door.body if isinstance(node, ast.Assign))
        assert ast.unparse(exported.targets[0]) == "__all__", room


def test_rooms_have_at_most_12_modules():
    folders = {path.parent for path in modules()}
    wide = {
        str(folder.relative_to(ROOT))
        for folder in folders
        if len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) > 12
    }
    assert not wide


def modules():
    return (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_modules_have_at_most_300_lines():
    assert not [path for path in modules() if len(path.read_text().splitlines()) > 300]


def test_functions_have_at_most_40_lines():
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno >= 40
    ]
    assert not long
