"""Checks what a catalog selects, before any stream is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_totango.streams.base import TotangoStream
from totango_api.errors import InputError, TotangoError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from singer_sdk import Stream
    from singer_sdk.singerlib import Catalog


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


def fail_narrow_streams(
    streams: Mapping[str, Stream], fail: Callable[[str, TotangoError], None]
) -> None:
    """Fail the streams whose part of the catalog lacks columns of earlier runs."""
    for name, stream in streams.items():
        if isinstance(stream, TotangoStream) and stream.selected:
            try:
                stream.check_catalog()
            except TotangoError as error:
                fail(name, error)
                stream.selected = False
