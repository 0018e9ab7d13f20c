"""Resolves owners that are given by address: Totango asks for the full name of a user."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Final

from target_totango.models import ValidationError
from target_totango.pipeline.decisions import Decision, Rejected
from target_totango.pipeline.filters.base import RowFilter
from totango_api.errors import AuthenticationError, RefusedError, ResponseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_totango.models import Row
    from target_totango.report import Report
    from totango_api.search import Reference

logger = logging.getLogger("target-totango")

_UNAUTHORIZED: Final = 401
_UNREAD: Final = (
    "The users of Totango cannot be read, so owners go out as they are, though Totango asks for "
    "full names: %s"
)


class ResolveOwners(RowFilter):
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
        self._full_names: frozenset[str] = frozenset()

    def decide(self, row: Row) -> Decision | None:
        """Return what keeps a row from being sent; None if nothing does.

        Raises:
            ApiError: If the users of Totango are not answered.
        """
        account = row.request.account
        errors: list[ValidationError] = []
        unchecked = False
        for role in self._roles:
            owner = account.get(role)
            if not owner:
                continue
            if "@" not in owner or self._names is None:
                unchecked = unchecked or owner not in self._full_names
                continue
            name = self._names.get(owner.strip().casefold())
            if name is not None:
                account[role] = name
                continue
            message = f"{role}: no user of Totango has the address {owner!r}"
            errors.append(ValidationError(role, "unknown owner", message))
        if errors:
            return Rejected(errors)
        if unchecked:
            self._report.metrics(row.stream, row.object).unchecked_owners += 1
        return None

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
        except (RefusedError, ResponseError, AuthenticationError) as error:
            if error.status == _UNAUTHORIZED:
                raise
            logger.warning(_UNREAD, error)
            return None
        self._full_names = frozenset(one.name for one in staff)
        return {one.id.casefold(): one.name for one in staff}
