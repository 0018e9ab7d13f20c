"""Reads a given state: from a file, out of its envelope, checked before a read begins."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

from tap_totango.schema import ConversionError, KnownColumns, json_of_file, moment_of
from tap_totango.state import COLUMNS, FULL_AT, FULL_SINCE, READING, REFUSED, VALUE, canonical
from totango_api.errors import InputError
from totango_api.reading import ResumePoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from singer_sdk.singerlib import Catalog

    from tap_totango.schema import Naming

_NEW_STATE: Final = (
    "Pass the last line that a target wrote; or run once without state, which reads everything."
)


def state_in(file: IO[str] | None) -> dict[str, Any] | None:
    """Read a state from a file.

    Raises:
        InputError: If it is none.
    """
    content = json_of_file(file, "state")
    if content is None or isinstance(content, dict):
        return content
    msg = "The state file does not hold an object."
    raise InputError(msg, remedy="Check the file that --state names.")


def unwrapped_state(state: dict[str, Any]) -> dict[str, Any]:
    """Take a state out of what `meltano state get` prints, or out of a STATE message."""
    for key in ("singer_state", "value"):
        if "bookmarks" not in state and isinstance(state.get(key), dict):
            return unwrapped_state(state[key])
    return state


def checked_state(state: Mapping[str, Any]) -> None:
    """Check the shape of a state before anything is read.

    Raises:
        InputError: If it is not one that this tap wrote, or an older one that it understands.
    """
    if "bookmarks" not in state and set(state) - {"currently_syncing"}:
        msg = f"The state holds no bookmarks, but {', '.join(sorted(map(str, state)))}."
        raise InputError(msg, remedy=_NEW_STATE)
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, dict) or not all(
        isinstance(one, dict) for one in bookmarks.values()
    ):
        msg = "The state is not of the form {bookmarks: {stream: {...}}}."
        raise InputError(msg, remedy=_NEW_STATE)
    for stream, bookmark in bookmarks.items():
        for key in (VALUE, FULL_AT, FULL_SINCE):
            value = bookmark.get(key)
            if value is None:
                continue
            if not isinstance(value, str):
                msg = f"The state of {stream} holds a {key} that is no text."
                raise InputError(msg, remedy=_NEW_STATE)
            canonical(value)
        _check_reading(stream, bookmark.get(READING))
        for key, kind in _KINDS.items():
            _check_kind(stream, key, bookmark.get(key), kind)


_KINDS: Final[dict[str, Any]] = {
    COLUMNS: dict[str, dict[str, tuple[str | None, str]]] | None,
    REFUSED: list[str] | None,
}


def _check_kind(stream: str, key: str, value: Any, kind: Any) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        msg = f"The state of {stream} holds {key} of another version of this tap."
        raise InputError(msg, remedy=_NEW_STATE) from None


def _check_reading(stream: str, reading: Any) -> None:
    if reading is None:
        return
    try:
        moment_of(reading["started_at"])
        int(reading["version"])
        if "resume" in reading:
            msgspec.convert(reading["resume"], ResumePoint)
    except (
        ConversionError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        msgspec.ValidationError,
    ):
        msg = f"The state of {stream} holds a {READING} of another version of this tap."
        raise InputError(msg, remedy=_NEW_STATE) from None


def columns_known(
    state: Mapping[str, Any], catalog: Catalog | None, streams: Iterable[str], naming: Naming
) -> dict[str, KnownColumns]:
    """Return what state and catalog know of the columns of each stream."""
    known = {}
    for stream in streams:
        saved = state.get("bookmarks", {}).get(stream, {}).get(COLUMNS, {}).get(naming.key)
        entry = catalog.get_stream(stream) if catalog else None
        properties = entry.schema.to_dict().get("properties", {}) if entry else None
        known[stream] = KnownColumns.from_state(saved, properties)
    return known
