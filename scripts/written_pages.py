"""Pages that are written from the code: whether they are in step, and how they come into it."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from toolbox import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def between(page: str, start: str, end: str, text: str) -> str:
    """Return a page with a text between two of its marks.

    Raises:
        ValueError: If it has no such marks.
    """
    pattern = re.escape(start) + r".*?" + re.escape(end)
    replaced, count = re.subn(
        pattern, lambda _match: start + text + end, page, count=1, flags=re.DOTALL
    )
    if not count:
        msg = f"The marks {start.strip()!r} and {end.strip()!r} are gone."
        raise ValueError(msg)
    return replaced


def check_or_write(wanted: Mapping[Path, str], gone: Iterable[Path] = ()) -> int:
    """Name the pages that are out of step; with `--write`, bring them into it.

    Args:
        wanted: What each page has to be.
        gone: Pages that are to be no more.

    Returns:
        The exit code: 1 if any is left out of step.
    """
    write = "--write" in sys.argv[1:]
    how = "rewritten" if write else "out of step; run make docs"
    stale = [path for path in wanted if not path.exists() or _text(path) != wanted[path]]
    for path in (*stale, *gone):
        print(f"{path.relative_to(ROOT)}: {how}")
        if write and path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        elif write:
            path.unlink()
    return int(bool(stale or [*gone]) and not write)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
