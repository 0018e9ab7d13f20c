"""Checks what the user selects and maps, before any stream is read."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from singer_sdk.exceptions import ConfigValidationError, MappingError

from totango_api.errors import InputError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk import Stream
    from singer_sdk.singerlib import Catalog

_ELSE: Final = "__else__"


def check_selection(
    catalog: Catalog | None, streams: Mapping[str, Stream], *, may_be_none: bool
) -> None:
    """Refuse a catalog that selects streams which do not exist.

    Args:
        catalog: As it was given.
        streams: Those that exist.
        may_be_none: Whether to go on where none is selected.

    Raises:
        InputError: If it does.
    """
    unknown = [
        entry.tap_stream_id
        for entry in (catalog.streams if catalog else [])
        if entry.tap_stream_id not in streams and entry.metadata.root.selected
    ]
    if unknown:
        msg = f"The catalog selects streams that do not exist: {', '.join(sorted(unknown))}."
        raise InputError(msg, remedy=f"There are: {', '.join(sorted(streams))}.")
    if not (may_be_none or any(stream.selected for stream in streams.values())):
        msg = "The catalog selects no stream, so there is nothing to read."
        raise InputError(msg, remedy="Set selected: true in the metadata of one.")


def check_maps(maps: object, streams: Sequence[str]) -> None:
    """Refuse maps that are about nothing: one of them may be there to mask something.

    Raises:
        SettingsError: If a map is of a stream that does not exist, or says `__else__` wrongly.
    """
    if not isinstance(maps, dict):
        return  # the schema of the settings says that
    for place in (maps, *(one for one in maps.values() if isinstance(one, dict))):
        # The schema of the SDK breaks over these.
        if place.get(_ELSE) not in (None, "__NULL__"):
            msg = f"stream_maps: {_ELSE} can only be null."
            raise SettingsError(msg)
    unknown = sorted(
        source
        for source in _sources(maps)
        if not any(fnmatchcase(stream, source) for stream in streams)
    )
    if unknown:
        msg = f"stream_maps names streams that do not exist: {', '.join(unknown)}."
        raise SettingsError(msg, remedy=f"There are: {', '.join(sorted(streams))}.")


def _sources(maps: Mapping[str, Any]) -> Iterator[str]:
    """Yield the stream, or the pattern, that each map is about."""
    for key, definition in maps.items():
        if key != _ELSE:
            source = definition.get("__source__", key) if isinstance(definition, dict) else key
            yield str(source)


def map_error(error: Exception, stream: str = "") -> SettingsError:
    """Return the error for a map that cannot be used; it shows nothing of any record."""
    of_stream = f" of {stream}" if stream else ""
    # What else is raised, such as by int(), may quote a value.
    why = str(error) if isinstance(error, MappingError) else type(error).__name__
    if isinstance(error, ConfigValidationError):
        why = "; ".join(error.errors)
    msg = f"A stream map{of_stream}, or flattening, cannot be used: {why.rstrip('.')}."
    return SettingsError(msg, remedy="Check stream_maps and the settings of flattening.")
