"""Explains what is wrong with stream maps, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError

from target_totango.mapping import fits
from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

STREAM_MAP_ERRORS: Final = (
    MapExpressionError,
    StreamMapConfigError,
    AttributeError,
    KeyError,
    TypeError,
)
"""What the SDK raises for a stream map that it cannot use."""

_MISTAKES: Final = frozenset({"FunctionNotDefined", "FeatureNotAvailable", "OperatorNotDefined"})
"""Errors of simpleeval, by which the SDK evaluates expressions, that no record is to blame for."""


def stream_map_error(error: Exception, stream: str | None = None) -> SettingsError:
    """Return what is wrong with a stream map, in a sentence."""
    text = str(error).rstrip(".") or type(error).__name__
    cause = f" ({error.__cause__})" if error.__cause__ else ""
    where = f" for stream {stream!r}" if stream is not None else ""
    msg = f"stream_maps cannot be used{where}: {text}{cause}."
    return SettingsError(msg)


def is_mistake(cause: BaseException, schema: Mapping[str, Any]) -> bool:
    """Return whether an expression names what no record of a stream can have.

    Args:
        cause: What evaluating it raised.
        schema: The schema of the stream.
    """
    kind = type(cause).__name__
    if kind == "NameNotDefined":
        return getattr(cause, "name", None) not in schema["properties"]
    return kind in _MISTAKES


def streams_without(stream_maps: Mapping[str, Any], streams: Iterable[str]) -> Iterator[str]:
    """Yield the names of stream maps that fit no stream."""
    names = list(streams)
    for name, stream_map in stream_maps.items():
        source = stream_map.get("__source__", name) if isinstance(stream_map, dict) else name
        if not name.startswith("__") and not any(fits(source, each) for each in names):
            yield source
