"""Where the results are written: RESULTS.md, and the short form in docs/speed.md."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from benchmarks import table
from benchmarks.servers import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.table import Line

RESULTS: Final = ROOT / "benchmarks" / "RESULTS.md"
SPEED: Final = ROOT / "docs" / "speed.md"
START: Final = "<!-- benchmarks -->\n"
END: Final = "<!-- end of benchmarks -->\n"

_HOW: Final = """\
Written by `make bench`. Every figure is the median of the rounds; what it is compared with was
measured in turns with it, in the same run, over loopback, and a ratio is the median of the rounds'
ratios. Seconds are those of the clock and hold the start of the program, on both sides; CPU is the
time of the processor in the program alone. Whether a bar is met depends on the machine where it
is not a ratio. What the floors do and do not do: [README.md](README.md).
"""


def results(described: Sequence[str], lines: Sequence[Line], profiles: str) -> str:
    """Return the page with everything; without profiles, when there are none."""
    today = dt.datetime.now(dt.UTC).date()
    facts = "".join(f"{one}\n" for one in described)
    page = f"# Results of {today}\n\n{_HOW}\n{facts}\n{table.full(lines)}"
    if profiles:
        page += f"\n## Where the time goes\n\n{_PROFILES}\n{profiles}"
    return page.rstrip() + "\n"


_PROFILES: Final = """\
Samples of py-spy, of the thread that holds the interpreter. The standard library and code in C
count for the module that calls them.
"""


def with_results(page: str, described: Sequence[str], lines: Sequence[Line]) -> str:
    """Return docs/speed.md with the short table between its marks.

    Raises:
        ValueError: If it has no marks.
    """
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        msg = f"docs/speed.md has no {START.strip()} … {END.strip()}"
        raise ValueError(msg)
    facts = "".join(f"{one}\n" for one in described)
    return f"{before}{start}{table.compact(lines)}\n{facts}{end}{after}"


LIVING: Final = """
## On a tenant that lives

Written by `make bench-long`. Each line is a run of `tap-totango` against a sandbox whose rows come,
go and change after each search call, and which orders rows that sort alike anew for every page.
Lost is a row that was there from the first call to the last and was not emitted. Least are pages of
1,000 that all rows fill. Where filters by dates are refused, up to 20,000 rows have to hold.
"""


def write_living(described: str, table: str) -> None:
    """Put a table of runs on tenants that live at the end of RESULTS.md."""
    page = RESULTS.read_text(encoding="utf-8").partition(LIVING)[0]
    RESULTS.write_text(f"{page}{LIVING}\n{described}\n\n{table}", encoding="utf-8")


def write(described: Sequence[str], lines: Sequence[Line], profiles: str) -> list[Path]:
    """Write both pages and return their paths."""
    _, heading, living = RESULTS.read_text(encoding="utf-8").partition(LIVING)
    page = results(described, lines, profiles) + heading + living
    RESULTS.write_text(page, encoding="utf-8")
    page = SPEED.read_text(encoding="utf-8")
    SPEED.write_text(with_results(page, described, lines), encoding="utf-8")
    return [RESULTS, SPEED]
