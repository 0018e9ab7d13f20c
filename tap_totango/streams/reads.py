"""Handles refused filters and missing rows, for reads of accounts, users and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from totango_api.errors import IncompleteReadError, RefusedError
from totango_api.text import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from totango_api.reading import ReadResult

T = TypeVar("T")

_LOOK_THERE: Final = (
    "Look at the service's data, or ask Totango's support; on_incomplete: warn goes on."
)


def unless_refused(
    filtered: Iterator[T], whole: Callable[[], Iterator[T]], log_refusal: Callable[[object], None]
) -> Iterator[T]:
    """Yield what a filtered read gives; everything, where the service refuses the filter.

    Args:
        filtered: The filtered read.
        whole: Reads without the filter.
        log_refusal: Says of the refusal that everything is read.

    Raises:
        RefusedError: If the service refuses to go on with a read that has begun.
    """
    has_begun = False
    try:
        for batch in filtered:
            has_begun = True
            yield batch
    except RefusedError as error:
        if has_begun:
            raise
        log_refusal(error)
    else:
        return
    yield from whole()


def incomplete(result: ReadResult, remedy: str) -> IncompleteReadError:
    """Return the error that says what a read lacks.

    Args:
        result: The result of the read.
        remedy: What to do about rows that did not come.
    """
    if result.unreadable:
        msg = f"{rows(result.unreadable)} came without an id, and cannot be used."
        return IncompleteReadError(msg, missing=result.unreadable, remedy=_LOOK_THERE)
    if result.missing is not None:
        of = "" if result.total is None else f"{result.missing} of "
        number = rows(result.missing if result.total is None else result.total)
        msg = f"{of}{number} could not be read."
    elif result.total is None:
        msg = "The server does not count its rows, and some may have been passed over."
    else:
        msg = "Rows moved while others were read, and some may have been passed over."
    return IncompleteReadError(msg, missing=result.missing, remedy=remedy)
