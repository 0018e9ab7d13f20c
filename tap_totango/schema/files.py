"""The files that a run is given: catalog and state."""

from __future__ import annotations

import json
from typing import Any

from singer_sdk.singerlib import Catalog

from totango_api.errors import InputError


def json_file(name: str, file: Any) -> dict[str, Any] | None:
    """Read a catalog or a state.

    Raises:
        InputError: If it is not a JSON object.
    """
    if file is None:
        return None
    try:
        content = json.loads(file.read() or "null")
    except (ValueError, OSError) as error:
        at = (
            f" ({error.msg}, line {error.lineno})"
            if isinstance(error, json.JSONDecodeError)
            else ""
        )
        msg = f"The {name} file is not JSON{at}."
        raise InputError(msg, remedy=f"Check the file that --{name} names.") from None
    if name == "state" and content is None:
        return None
    shape = isinstance(content, dict) and (
        name == "state" or isinstance(content.get("streams"), list)
    )
    if not shape:
        wanted = "an object with a list of streams" if name == "catalog" else "an object"
        msg = f"The {name} file does not hold {wanted}."
        raise InputError(msg, remedy=f"Check the file that --{name} names.")
    if name == "catalog":
        _check_entries(content)
    return dict(content)


def _check_entries(catalog: dict[str, Any]) -> None:
    """Check that every stream of a catalog has what Singer asks for.

    Raises:
        InputError: If one has not.
    """
    for place, entry in enumerate(catalog["streams"]):
        try:
            whole = bool(Catalog.from_dict({"streams": [entry]})) and entry["schema"]["properties"]
        except (AttributeError, KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            msg = f"The catalog file holds no stream with a schema at streams[{place}]."
            raise InputError(msg, remedy="Check the file that --catalog names.")
