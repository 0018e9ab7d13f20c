"""The pictures of docs/architecture.md, drawn from the imports that are there.

`python scripts/architecture.py` fails when the page is out of step; with `--write` it brings it
into step. Rooms are sub-packages, and modules beside them count as rooms too. An arrow stands for
an import; one that follows from two others is left out.
"""

from __future__ import annotations

import ast
import sys
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Final

import grimp
from toolbox import ROOT
from written_pages import between, check_or_write

if TYPE_CHECKING:
    from pathlib import Path

PAGE: Final = ROOT / "docs" / "architecture.md"
PACKAGES: Final = ("totango_api", "tap_totango", "target_totango", "totango_sandbox")

Arrows = dict[str, set[str]]


def arrows_of(package: str) -> Arrows:
    """Return which rooms each room of a package imports.

    Raises:
        graphlib.CycleError: If rooms import each other in a circle.
    """
    graph = grimp.build_graph(package, cache_dir=None)
    arrows: Arrows = {_room(module): set() for module in graph.modules if module != package}
    for module in graph.modules - {package}:
        for other in graph.find_modules_directly_imported_by(module) - {package}:
            if _room(other) != _room(module):
                arrows[_room(module)].add(_room(other))
    tuple(TopologicalSorter(arrows).static_order())
    return arrows


def reduced(arrows: Arrows) -> Arrows:
    """Leave out every arrow that follows from others."""
    below: Arrows = {}
    for room in TopologicalSorter(arrows).static_order():
        below[room] = arrows[room].union(*(below[other] for other in arrows[room]))
    return {
        room: others - set().union(*(below[other] for other in others))
        for room, others in arrows.items()
    }


def picture(package: str) -> str:
    """Return a package's rooms as a Mermaid flow chart."""
    lines = ["```mermaid", "flowchart TD"]
    for room, others in sorted(reduced(arrows_of(package)).items()):
        is_room = (ROOT / package / room).is_dir()
        lines.append(f"    {room}_[{room}]" if is_room else f"    {room}_({room}.py)")
        lines += [f"    {room}_ --> {other}_" for other in sorted(others)]
    return "\n".join([*lines, "```", ""])


def charters(package: str) -> str:
    """Return a package's rooms, and what each is for, as a Markdown table."""
    lines = ["| room | what it does |", "|---|---|"]
    homes = sorted(path.parent for path in (ROOT / package).glob("*/__init__.py"))
    lines += [f"| `{package}/{home.name}/` | {_charter(home / '__init__.py')} |" for home in homes]
    return "\n".join(lines) + "\n"


def page(present: str) -> str:
    """Return the page with its pictures and tables as the code is now."""
    for package in PACKAGES:
        text = f"\n{charters(package)}\n{picture(package)}\n"
        present = between(present, f"<!-- rooms: {package} -->\n", "<!-- end -->\n", text)
    return present


def _room(module: str) -> str:
    return module.split(".")[1]


def _charter(door: Path) -> str:
    docstring = ast.get_docstring(ast.parse(door.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.split("\n\n")[0].split())


def main() -> int:
    """Check, or write."""
    return check_or_write({PAGE: page(PAGE.read_text(encoding="utf-8"))})


if __name__ == "__main__":
    sys.exit(main())
