"""What passes over the same rows leave to the next: what they covered, and a fair sample."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.search.endpoint import Hit
    from totango_api.search.query import Term

SAMPLE_ROWS: Final = 2_000


class Sample:
    """Some of the rows read so far, each as likely as any other.

    Reservoir sampling by skips (Li's algorithm L): a random number for each row taken, not for
    each row seen.
    """

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self._random = random.Random(0)  # noqa: S311 (the same on every run)
        self._weight = 1.0
        self._skip = 0

    def take(self, hits: Sequence[Hit]) -> None:
        """Take in rows just read."""
        free = SAMPLE_ROWS - len(self.hits)
        if free > 0:
            self.hits += hits[:free]
            if len(hits) < free:
                return
            hits = hits[free:]
            self._skip = self._next_skip()
        while self._skip < len(hits):
            self.hits[self._random.randrange(SAMPLE_ROWS)] = hits[self._skip]
            self._skip += 1 + self._next_skip()
        self._skip -= len(hits)

    def _next_skip(self) -> int:
        chance = 1 - self._random.random()
        self._weight *= math.exp(math.log(chance) / SAMPLE_ROWS)
        return int(math.log(1 - self._random.random()) / math.log1p(-self._weight))


@dataclass(frozen=True)
class Passes:
    """Passes over the whole that are done.

    Attributes:
        names: Their splitters.
        covered: For each that left no gap, a term which all the rows it found match.
    """

    names: frozenset[str] = frozenset()
    covered: tuple[Term, ...] = ()

    def and_then(self, name: str, covered: Term | None) -> Passes:
        """Return these passes and another one."""
        more = (covered,) if covered is not None else ()
        return Passes(self.names | {name}, (*self.covered, *more))
