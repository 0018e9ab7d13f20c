"""Finds the bad rows of a batch without a receipt by sending parts of it again.

So it is too where the hub fails (5xx) for the sake of one row, unless sending again does harm. A
bad row costs one or two calls where the response names it, about log2 of the batch where it does
not. Where everything is bad, as in an outage, that would be a call for every row: after a few
single rows that fail alike, others from all over the batch are tried, and if those fail alike too
the rest is given up untried.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from totango_api.writing.hub_responses import FORBIDDEN
from totango_api.writing.hub_rows import HubRowResult, RowAccepted, RowRefused, RowUncertain
from totango_api.writing.named_rows import NO_REASON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from totango_api.writing.hub_responses import HubResponse

RowsResult: TypeAlias = tuple[Sequence[int], HubRowResult]
"""Rows by their numbers, and what became of all of them."""

ALIKE: Final = 3
"""Rows that must fail alike, with none taken, before a batch is thought hopeless …"""

PATIENCE: Final = 8
"""… and calls that must have been made."""

TOO_LARGE: Final = 413

TRIES_ALONE: Final = 3
"""How often a row is sent alone before a vague response about it is believed."""

_OK: Final = range(200, 300)

UNTRIED: Final = "no row that was tried was taken, so this one was not tried"

_PARTICULARS = re.compile(r"\"[^\"]*\"|'[^']*'|\[e-mail\]|\d+")


@dataclass(frozen=True)
class _Part:
    """Rows without a result yet.

    Attributes:
        known_bad: Whether one of them must be bad, so that sending them together tells nothing.
        twin_bad: Whether the next part must hold the bad row if this one is taken.
        response: What the hub said to them, if they were sent.
        hinted: Whether rows that a response names can be believed to be the bad ones.
    """

    rows: Sequence[int]
    known_bad: bool = False
    twin_bad: bool = False
    response: HubResponse | None = None
    hinted: bool = True


class BatchBisection:
    """Finds the result of every row of one batch.

    Args:
        send: Sends the rows with these numbers as one batch.
        idempotent: Whether a row that was taken may be sent again (not so for activities).
        hopeless_kind: The kind of failure that made an earlier batch hopeless: if this one
            is refused too, one row is tried instead of many.
        is_taking: Whether rows of other batches were taken: then a refusal is about its rows, and
            none is refused untried.

    Attributes:
        hopeless_kind: The kind of failure that made this batch hopeless; else None.
    """

    def __init__(
        self,
        send: Callable[[Sequence[int]], HubResponse],
        *,
        idempotent: bool,
        hopeless_kind: str | None = None,
        is_taking: bool = False,
    ) -> None:
        self.hopeless_kind: str | None = None
        self._send_rows = send
        self._calls = 0
        self._idempotent = idempotent
        self._earlier_kind = None if is_taking else hopeless_kind
        self._is_taking = is_taking
        self._parts: list[_Part] = []
        self._tries: Counter[int] = Counter()
        self._kinds: list[str] = []
        self._any_taken = False
        self._is_unsure = False
        self._is_answered = False
        self._status: int | None = None
        self._probed = False

    def results(self, rows: Sequence[int]) -> Iterator[RowsResult]:
        """Send rows and yield the numbers of those that share a result, as soon as it is known.

        Raises:
            ApiError: If no result can be had, as when the token is not accepted.
        """
        response = self._send(rows)
        self._is_answered = not response.is_unknown
        yield from self._follow(rows, response)
        if self._parts and self._earlier_kind is not None and self._may_send_again():
            yield from self._probe((1,), self._earlier_kind)
        while self._parts:
            part = self._parts.pop()
            if part.known_bad and len(part.rows) > 1:
                self._halve(part.rows)
                continue
            response = part.response or self._send(part.rows)
            yield from self._follow(part.rows, response, hinted=part.hinted)
            if part.twin_bad and response.all_taken:
                self._parts[-1] = _Part(self._parts[-1].rows, known_bad=True)
            if self._looks_hopeless() and self._may_send_again():
                self._probed = True
                yield from self._probe((0, 1, 2), self._kinds[0])

    def _follow(
        self, rows: Sequence[int], response: HubResponse, *, hinted: bool = True
    ) -> Iterator[RowsResult]:
        """Yield the results that a response gives, and keep the other rows as parts."""
        faults = {rows[at]: why for at, why in response.faults.items() if at < len(rows)}
        if response.taken:
            yield self._taken([rows[at] for at in sorted(response.taken)])
            yield from self._named(faults, response)
            rest = [
                row for at, row in enumerate(rows) if at not in response.taken and row not in faults
            ]
            yield from self._left(rest, response)
        elif self._unknowable(response, faults if len(rows) > 1 else response.faults):
            yield rows, _uncertain(response)
        elif response.all_taken:
            yield self._taken(rows)
        elif len(rows) == 1 and self._is_worth_another_try(rows[0], response):
            self._parts.append(_Part(rows))
        elif len(rows) == 1:
            yield rows, self._failed(next(iter(response.faults.values()), ""), response)
        elif len(faults) == len(rows):
            yield from self._named(faults, response)
        elif response.status == TOO_LARGE:
            self._halve(rows, bad=False)
        elif not response.is_certain and not self._idempotent:
            yield from self._named(faults, response)
            yield from self._left([row for row in rows if row not in faults], response)
        elif hinted and faults:
            yield from self._without_named(rows, faults, response)
        else:
            self._halve(rows)

    def _is_worth_another_try(self, row: int, response: HubResponse) -> bool:
        """Return whether a row that was sent alone may have met a passing fault, and count it.

        So may any vague response within a 2xx, since those of the whole batch may have been faults
        of the hub as well.
        """
        is_vague = response.status in _OK and not response.faults
        if not is_vague or not self._idempotent or self._looks_hopeless():
            return False
        self._tries[row] += 1
        return self._tries[row] < TRIES_ALONE

    def _left(self, rows: Sequence[int], response: HubResponse) -> Iterator[RowsResult]:
        """Handle the rows that a response does not name while it names others."""
        if not rows:
            return
        if self._idempotent:
            self._parts.append(_Part(rows))
        else:
            yield rows, _uncertain(response)

    def _unknowable(self, response: HubResponse, faults: object) -> bool:
        """Return whether rows must not be sent again to find out more, as it does harm."""
        return not self._idempotent and (response.is_unknown or not (response.is_certain or faults))

    def _without_named(
        self, rows: Sequence[int], faults: dict[int, str], response: HubResponse
    ) -> Iterator[RowsResult]:
        """Rows were named: send the others, even if they seem taken, for the list may be cut."""
        others = [row for row in rows if row not in faults]
        second = self._send(others)
        if second.all_taken:
            yield self._taken(others)
            yield from self._named(faults, response)
            return
        # The list was cut, or counts rows in another way: do the named ones fail by themselves?
        named = list(faults)
        settled = list(self._follow(named, self._send(named), hinted=False))
        yield from settled
        refused = [row for rows, what in settled if isinstance(what, RowRefused) for row in rows]
        right = len(refused) == len(named)
        self._parts.append(_Part(others, response=second, hinted=right))

    def _halve(self, rows: Sequence[int], *, bad: bool = True) -> None:
        middle = len(rows) // 2
        self._parts.append(_Part(rows[middle:]))
        self._parts.append(_Part(rows[:middle], twin_bad=bad))

    def _looks_hopeless(self) -> bool:
        if self._any_taken or self._probed or self._calls < PATIENCE:
            return False
        if self._is_taking and not self._is_unsure:
            return False
        return len(self._kinds) >= ALIKE and len(set(self._kinds)) == 1

    def _may_send_again(self) -> bool:
        """Return whether nothing of what is left can have been stored, or twice does no harm."""
        answers = [part.response for part in self._parts if part.response is not None]
        return self._idempotent or all(
            one.is_certain and not (one.is_unknown or one.taken) for one in answers
        )

    def _send(self, rows: Sequence[int]) -> HubResponse:
        self._calls += 1
        response = self._send_rows(rows)
        self._status = response.status
        return response

    def _probe(self, quarters: Iterable[int], kind: str) -> Iterator[RowsResult]:
        """Try single rows from all over the rest; if all fail alike, give the rest up."""
        left = [row for part in reversed(self._parts) for row in part.rows]
        spread = {len(left) * (2 * quarter + 1) // 6 for quarter in quarters} if left else set()
        tried = {left[at] for at in spread}
        first = len(self._kinds)
        for row in sorted(tried):
            while not (settled := list(self._follow([row], self._send([row])))):
                self._parts.pop()  # It is worth another try.
            yield from settled
        left = [row for row in left if row not in tried]
        self._parts = [_Part(left)] if left else []
        if len(self._kinds) - first == len(tried) and set(self._kinds[first:]) <= {kind}:
            self.hopeless_kind = kind
            self._parts = []
            reason = f"{UNTRIED} ({kind})"
            yield left, self._given_up(reason)

    def _given_up(self, reason: str) -> RowRefused | RowUncertain:
        """Return the result of rows that were sent with the whole batch alone."""
        if not self._is_unsure:
            return RowRefused(reason)
        # That one was turned away, and so certainly not taken, is as true of these rows.
        status = self._status if self._status == FORBIDDEN else None
        return RowUncertain(reason, is_answered=self._is_answered, status=status)

    def _taken(self, rows: Sequence[int]) -> RowsResult:
        self._any_taken = True
        return rows, RowAccepted()

    def _named(self, faults: dict[int, str], response: HubResponse) -> Iterator[RowsResult]:
        for row, why in faults.items():
            yield [row], self._failed(why, response)

    def _failed(self, why: str, response: HubResponse) -> RowRefused | RowUncertain:
        """Return the result of a row that was named, or sent alone, and was not taken."""
        is_refused = bool(why) or (
            response.is_certain and not response.is_unknown and response.status != FORBIDDEN
        )
        result = _refused(why, response) if is_refused else _uncertain(response)
        self._kinds.append(_kind(result.reason))
        self._is_unsure = self._is_unsure or not is_refused
        return result


def _refused(why: str, response: HubResponse) -> RowRefused:
    return RowRefused(why or response.reason or NO_REASON, response.status)


def _uncertain(response: HubResponse) -> RowUncertain:
    is_answered = not response.is_unknown
    return RowUncertain(
        response.reason or "no clear answer",
        is_answered=is_answered,
        is_about_row=is_answered and not response.may_pass,
        status=response.status,
    )


def _kind(reason: str) -> str:
    """Return a reason without its values, so that similar ones compare equal."""
    return _PARTICULARS.sub("…", reason)
