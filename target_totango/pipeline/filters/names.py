"""Puts what Totango asks for in the place of names: full names of owners, ids of list entries."""

from __future__ import annotations

import functools
import json
import logging
import re
from itertools import compress
from typing import TYPE_CHECKING, Final

from target_totango.models import ValidationError
from target_totango.objects import ENGAGEMENTS, LIST, OBJECTS, STAFF
from target_totango.pipeline.decisions import Decision, Rejected
from target_totango.pipeline.filters.base import Filter, RowFilter, without
from totango_api.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from target_totango.models import Row
    from target_totango.objects import NamedAttribute
    from target_totango.pipeline.decisions import Results
    from target_totango.report import Report
    from totango_api.search import Reference

    ReadList = Callable[[str], Sequence[Reference]]


logger = logging.getLogger("target-totango")

NAMES_SHOWN: Final = 20
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NO_STAFF: Final = (
    "The users of Totango cannot be read, so owners go out as they are, though Totango asks for "
    "full names: %s"
)


_NO_LIST: Final = (
    "The list of %s cannot be read, so ids go out as they are, and names are rejected: %s"
)


class ResolveOwners(Filter):
    """Puts full names in the place of the addresses of owners, and rejects unknown addresses.

    Full names cost no call: where the users were not read, they go out unchecked, and are counted.

    Args:
        roles: Returns the API names of attributes that hold an owner.
        read_staff: Returns the users of Totango; None if nobody can ask for them.
        report: Counts rows whose owners were not checked.
    """

    def __init__(
        self,
        roles: Callable[[], frozenset[str]],
        read_staff: Callable[[], Sequence[Reference]] | None,
        report: Report,
    ) -> None:
        self._read_roles = roles
        self._read_staff = read_staff
        self._report = report
        self._known: set[str | None] = {None, ""}

    def apply(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Results]:
        """Return the rows to send, and the decisions on the others.

        Raises:
            ApiError: If the users of Totango are not answered.
        """
        accounts = [row.request.account for row in rows]
        errors: dict[int, list[ValidationError]] = {}
        unchecked: set[int] = set()
        for role in self._roles:
            owners = [account.get(role) for account in accounts]
            unknown = set(owners) - self._known
            if any("@" in owner for owner in unknown if owner) and self._names is not None:
                unknown -= self._known  # to which reading them has added full names
                addresses = {owner for owner in unknown if owner and "@" in owner}
                unknown -= addresses
                for place, owner in enumerate(owners):
                    if owner and owner in addresses:
                        for error in self._resolve(role, owner, accounts[place]):
                            errors.setdefault(place, []).append(error)
            is_unknown = [owner in unknown for owner in owners]
            unchecked.update(compress(range(len(rows)), is_unknown))
        results: Results = []
        results += [(rows[place], Rejected(found)) for place, found in sorted(errors.items())]
        unchecked.difference_update(errors)
        self._report.add("unchecked_owners", [rows[place] for place in unchecked])
        return without(rows, results), results

    def _resolve(
        self, role: str, address: str, account: dict[str, str]
    ) -> Iterator[ValidationError]:
        """Put a full name in the place of an address; yield what is wrong if there is none."""
        name = (self._names or {}).get(address.strip().casefold())
        if name is not None:
            account[role] = name
            return
        message = f"{role}: no user of Totango has the address {address!r}"
        yield ValidationError(role, "unknown owner", message)

    @functools.cached_property
    def _roles(self) -> list[str]:
        return sorted(self._read_roles())

    @functools.cached_property
    def _names(self) -> dict[str, str] | None:
        """Full names by address; None where they cannot be read."""
        if self._read_staff is None:
            return None
        try:
            staff = self._read_staff()
        except ApiError as error:
            if not error.is_refusal:
                raise
            logger.warning(_NO_STAFF, error)
            return None
        self._known.update(one.name for one in staff)
        return {one.id.casefold(): one.name for one in staff}


class UnknownNameError(ValueError):
    """A name that is in no list, or for several ids; the message lists those that are."""


class ResolveNames(RowFilter):
    """Puts ids in the place of names, and rejects rows with a name that no list knows.

    Args:
        read_list: Returns the entries of a list, by its name.
    """

    objects = ENGAGEMENTS

    def __init__(self, read_list: ReadList) -> None:
        self._read_list = read_list

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does.

        Raises:
            ApiError: If a list is not answered.
        """
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
        except ApiError as error:
            if not error.is_refusal:
                raise
            logger.warning(_NO_LIST, reference.replace("_", " "), error)
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
