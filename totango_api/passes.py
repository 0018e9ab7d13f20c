"""What passes over the same rows leave to the next: what they covered, and a fair sample."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.queries import Term
    from totango_api.search import Hit

SAMPLE_ROWS: Final = 2_000


class Sample:
    """Some of the rows read so far, each as likely as any other (reservoir sampling)."""

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self._taken = 0
        self._random = random.Random(0)  # noqa: S311 (the same on every run)

    def take(self, hits: Sequence[Hit]) -> None:
        """Take in rows just read."""
        for hit in hits:
            self._taken += 1
            if len(self.hits) < SAMPLE_ROWS:
                self.hits.append(hit)
            elif (place := self._random.randrange(self._taken)) < SAMPLE_ROWS:
                self.hits[place] = hit


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
