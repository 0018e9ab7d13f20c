"""Reads writes back until they are confirmed, or time is up."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Self

from target_totango.verify.compare import editable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from target_totango.models import Row
    from target_totango.verify.compare import Difference

LONGEST_PAUSE: Final = 30.0


@dataclass(frozen=True)
class Sent:
    """The values that were delivered for a key.

    Attributes:
        key: The object, and its ids: `("users", account id, user id)`.
        attributes: Text by API name. If the key was sent more than once: what it should hold
            now.
    """

    key: tuple[str, ...]
    attributes: Mapping[str, str]

    @classmethod
    def of(cls, row: Row) -> Self:
        """Return what a row wrote, but for attributes that Totango does not take as they are."""
        return cls(row.request.key, editable(row.request.attributes))


@dataclass(frozen=True)
class Verdict:
    """The result of reading a key once.

    Attributes:
        result: `confirmed`; `different` when the row is there with other values; `missing`.
        differences: The other values.
        unshown: Attributes that could not be compared.
    """

    key: tuple[str, ...]
    result: Literal["confirmed", "different", "missing"]
    differences: tuple[Difference, ...] = ()
    unshown: tuple[str, ...] = ()


def pauses(seconds: float, first: float = 1.0) -> Iterator[float]:
    """Yield how long to wait before each reading, until so many seconds after the first are over.

    Args:
        seconds: How long to go on.
        first: The pause after the first reading; each one that follows is twice as long.
    """
    yield 0.0
    deadline = time.monotonic() + seconds
    pause = first
    while (left := deadline - time.monotonic()) > 0:
        yield min(pause, left)
        pause = min(2 * pause, LONGEST_PAUSE)


class Verifier(ABC):
    """Reads writes back and compares them with what was sent.

    Args:
        timeout: Seconds for which a write may stay invisible, counted from when every one has
            been read once.
    """

    rows_at_once: ClassVar[int | None] = None

    def __init__(self, *, timeout: float) -> None:
        self._timeout = timeout

    @abstractmethod
    def check(self, writes: Sequence[Sent]) -> list[Verdict]:
        """Return a verdict for each of a few writes, read once.

        Raises:
            ApiError: If reading fails.
        """

    def verify(
        self, writes: Iterable[Sent], wait: Callable[[float], None] = time.sleep
    ) -> Iterator[Verdict]:
        """Yield a verdict for every write, the confirmed ones as soon as they are.

        Only what is not yet confirmed is kept in memory and read again, until the time is up.

        Args:
            writes: What was sent.
            wait: Waits so many seconds.

        Raises:
            ApiError: If reading fails.
        """
        waiting: list[tuple[Sent, Verdict]] = []
        for pause in pauses(self._timeout):
            wait(pause)
            waiting = yield from self._read(writes)
            if not waiting:
                return
            writes = [sent for sent, _ in waiting]
        yield from (verdict for _, verdict in waiting)

    def _read(self, writes: Iterable[Sent]) -> Generator[Verdict, None, list[tuple[Sent, Verdict]]]:
        """Read writes once, yield the confirmed and return the others."""
        waiting = []
        remaining = iter(writes)
        while batch := list(islice(remaining, self.rows_at_once)):
            for sent, verdict in zip(batch, self.check(batch), strict=True):
                if verdict.result == "confirmed":
                    yield verdict
                else:
                    waiting.append((sent, verdict))
        return waiting
