"""The table: what was measured, against what, and whether the bar is met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks import runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.runs import Run


@dataclass(frozen=True)
class Bar:
    """What a figure has to be.

    Attributes:
        limit: The figure.
        least: Whether that is the least or the most that it may be.
    """

    limit: float
    least: bool

    def met(self, figure: float) -> bool:
        """Tell whether a figure is good enough."""
        return figure >= self.limit if self.least else figure <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {written(self.limit)}"


def at_least(limit: float) -> Bar:
    """Return a bar that only higher figures pass."""
    return Bar(limit, least=True)


def at_most(limit: float) -> Bar:
    """Return a bar that only lower figures pass."""
    return Bar(limit, least=False)


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        what: What was measured.
        rounds: How often.
        ours: The absolute figures of this project's command.
        beside: The same of what it is compared with.
        figure: What is held against the bar.
        unit: What the figure counts, written behind it.
        bar: None where a line is for information.
    """

    what: str
    rounds: int
    ours: str
    beside: str = ""
    figure: float | None = None
    unit: str = ""
    bar: Bar | None = None

    @property
    def judged(self) -> str:
        """Whether the bar is met, in a word."""
        if self.bar is None or self.figure is None:
            return ""
        return "yes" if self.bar.met(self.figure) else "**no**"

    @property
    def shown(self) -> str:
        """The figure with its unit."""
        if self.figure is None:
            return ""
        return f"{written(self.figure)} {self.unit}".rstrip()


FULL: Final = ("measure", "rounds", "ours", "beside it", "figure", "bar", "met")
COMPACT: Final = ("measure", "ours", "figure", "bar", "met")


def full(lines: Sequence[Line]) -> str:
    """Return the table with everything."""
    rows = [
        (one.what, str(one.rounds), one.ours, one.beside, one.shown, _bar(one), one.judged)
        for one in lines
    ]
    return _markdown(FULL, rows)


def compact(lines: Sequence[Line]) -> str:
    """Return the table of what has a bar."""
    rows = [(one.what, one.ours, one.shown, _bar(one), one.judged) for one in lines if one.bar]
    return _markdown(COMPACT, rows)


def _bar(line: Line) -> str:
    return str(line.bar) if line.bar else ""


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def written(number: float) -> str:
    """Write a number with the digits that mean something: 0.53, 12.4, 25,000."""
    if round(abs(number)) >= 1000:
        return f"{_rounded(number):,}"
    if abs(number) >= 100 or number == int(number):
        return f"{number:.0f}"
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"


def _rounded(number: float) -> int:
    """Leave three digits that are not zero."""
    unit = 10 ** max(len(str(int(abs(number)))) - 3, 0)
    return int(round(number / unit) * unit)


def speed(rows: int, taken: Sequence[Run]) -> str:
    """Write what runs over so many rows come to."""
    return f"{written(rows / runs.seconds(taken))} rows/s, {duration(taken)}"


def duration(taken: Sequence[Run]) -> str:
    """Write how long runs took, and for how long the processor worked, if that is known."""
    cpu = runs.cpu(taken)
    return f"{runs.seconds(taken):.2f} s" + (f", CPU {cpu:.2f} s" if cpu else "")
