"""Resolves names to the ids that Totango asks for, by the service's reference lists."""

from __future__ import annotations

import functools
import json
import logging
import re
from typing import TYPE_CHECKING, Final

from target_totango.models import ValidationError
from target_totango.objects import LIST, OBJECTS, STAFF
from target_totango.pipeline.decisions import Decision, Rejected
from target_totango.pipeline.filters.base import RowFilter
from totango_api.errors import AuthenticationError, RefusedError, ResponseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_totango.models import Row
    from target_totango.objects import NamedAttribute
    from totango_api.search import Reference

    ReadList = Callable[[str], Sequence[Reference]]

logger = logging.getLogger("target-totango")

NAMES_SHOWN: Final = 20
_UNAUTHORIZED: Final = 401
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_UNREAD: Final = (
    "The list of %s cannot be read, so ids go out as they are, and names are rejected: %s"
)


class UnknownNameError(ValueError):
    """A name that is in no list, or for several ids; the message lists those that are."""


class ResolveNames(RowFilter):
    """Puts ids in the place of names, and rejects rows with a name that no list knows.

    Args:
        read_list: Returns the entries of a list, by its name.
    """

    def __init__(self, read_list: ReadList) -> None:
        self._read_list = read_list

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does.

        Raises:
            ApiError: If a list is not answered.
        """
        if OBJECTS[row.object].record is None:
            return None
        errors: list[ValidationError] = []
        for named in OBJECTS[row.object].named:
            text = row.request.fields.get(named.api_name)
            if named.reference is None or text is None:
                continue
            try:
                row.request.fields[named.api_name] = self._resolved(named, named.reference, text)
            except UnknownNameError as error:
                errors.append(ValidationError(named.setting, "unknown name", str(error)))
        return Rejected(errors) if errors else None

    def _resolved(self, named: NamedAttribute, reference: str, text: str) -> str:
        if reference == STAFF and ("@" in text or _GUID.fullmatch(text)):
            return text  # as Totango asks for it
        entries = self._entries(reference)
        if named.kind != LIST:
            return entries.id_of(text)
        return json.dumps(list(dict.fromkeys(entries.id_of(each) for each in json.loads(text))))

    @functools.cache  # noqa: B019 (lives as long as the run)
    def _entries(self, reference: str) -> _Entries:
        """Return the entries of a list, which is read once."""
        try:
            return _Entries(reference, self._read_list(reference))
        except (RefusedError, ResponseError, AuthenticationError) as error:
            if error.status == _UNAUTHORIZED:
                raise
            logger.warning(_UNREAD, reference.replace("_", " "), error)
            return _Entries(reference, None)


class _Entries:
    """The entries of a list, by id and by name.

    Args:
        reference: The list.
        entries: None where it cannot be read.
    """

    def __init__(self, reference: str, entries: Sequence[Reference] | None) -> None:
        self._what = reference.replace("_", " ")
        self._is_read = entries is not None
        self._ids = {each.id for each in entries or ()}
        self._exact: dict[str, set[str]] = {}
        self._folded: dict[str, set[str]] = {}
        for each in entries or ():
            self._exact.setdefault(each.name, set()).add(each.id)
            self._folded.setdefault(each.name.strip().casefold(), set()).add(each.id)

    def id_of(self, text: str) -> str:
        """Return the id for an id or a name: as it is written, else whatever its case.

        Raises:
            UnknownNameError: If there is none, or more than one.
        """
        if text in self._ids:
            return text
        if not self._is_read:
            if _GUID.fullmatch(text):
                return text
            msg = f"{text!r} is no id, and the list of {self._what} cannot be read"
            raise UnknownNameError(msg)
        found = self._exact.get(text) or self._folded.get(text.strip().casefold(), set())
        if len(found) == 1:
            return next(iter(found))
        if found:
            msg = f"{text!r} is the name of several {self._what}: {', '.join(sorted(found))}"
            raise UnknownNameError(msg)
        names = sorted(self._exact)
        more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
        known = f"{', '.join(names[:NAMES_SHOWN])}{more}" if names else "none"
        msg = f"{text!r} is none of the {self._what} of this service: {known}"
        raise UnknownNameError(msg)
