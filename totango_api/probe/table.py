"""Formats answers as a table for a terminal: columns as wide as needed, the last ones wrapped."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from totango_api.probe.questions import Result

HEAD: Final = ("question", "answer", "evidence", "suggests")
_WIDEST: Final = 160
_NARROWEST: Final = 100
_NAMES: Final = 44
_GAP: Final = "  "


def table(results: Sequence[Result]) -> str:
    """Return the answers as a table with a head."""
    rows = [
        (f"{one.name}: {one.text}", one.answer.value, one.answer.evidence, one.answer.advice)
        for one in results
    ]
    width = min(max(shutil.get_terminal_size((_WIDEST, 24)).columns, _NARROWEST), _WIDEST)
    answers = min(max([len(row[1]) for row in rows] + [len(HEAD[1])]), 24)
    rest = width - _NAMES - answers - 3 * len(_GAP)
    widths = (_NAMES, answers, rest // 2, rest - rest // 2)
    lines = list(_wrapped(HEAD, widths))
    lines.append(_GAP.join("-" * one for one in widths))
    for row in rows:
        lines += _wrapped(row, widths)
    return "\n".join(lines)


def _wrapped(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    columns = [
        textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, widths, strict=True)
    ]
    for at in range(max(map(len, columns))):
        parts = [column[at] if at < len(column) else "" for column in columns]
        padded = [part.ljust(width) for part, width in zip(parts, widths, strict=True)]
        yield _GAP.join(padded).rstrip()
