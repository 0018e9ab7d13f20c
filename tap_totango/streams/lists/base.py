"""Base of the streams that a few calls answer whole, with plain objects."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from tap_totango.records import RecordBuilder, value_at
from tap_totango.streams.base import TotangoStream
from totango_api.errors import ApiError, IncompleteReadError, ResponseError, SettingsError
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_totango.records import Table
    from totango_api.search import Row

_FORBIDDEN, _NOT_FOUND = 403, 404
_LOOK = "Look at the service's data; or deselect {} to go on without it."


class ListedStream(TotangoStream):
    """A list that is read whole."""

    selected_by_default = False

    @property
    def is_only_tried(self) -> bool:
        """Whether `--test` asks for one record of every stream, selected or not."""
        return self.ABORT_AT_RECORD_COUNT is not None

    def named_in(self, setting: str) -> Sequence[Any]:
        """Return what is read, as a setting names it; nothing where it names none in a test.

        Raises:
            SettingsError: If it names none.
        """
        named: Sequence[Any] = self.config.get(setting) or ()
        if not (named or self.is_only_tried):
            msg = f"{self.name} is selected, but {setting} names none."
            raise SettingsError(msg, remedy=f"Set {setting}, or deselect {self.name}.")
        return named

    @abstractmethod
    def rows(self) -> Iterator[Sequence[Row]]:
        """Yield rows as the service gives them, a call's at a time.

        Raises:
            TotangoError: If it does not.
        """

    def tables(self) -> Iterator[Table]:
        """Yield the records of all rows.

        Raises:
            TotangoError: If not everything could be read.
        """
        columns, vanished = self.wanted()
        base = [column for column in self.base if column.path]
        builder = RecordBuilder(columns, base=base, vanished=vanished)
        self._stream_version = self._new_version()
        paths = [column.path for column in self.base if column.name in self.keys]
        seen: dict[tuple[str, ...], Row] = {}
        doubles = 0
        for rows in self._explained():
            new = []
            for row in rows:
                key = tuple(str(value_at(row, path) or "") for path in paths)
                if not all(key):
                    msg = f"A row of {self.name} came without an id, and cannot be used."
                    raise IncompleteReadError(msg, remedy=_LOOK.format(self.name))
                if key not in seen:
                    seen[key] = row
                    new.append(row)
                doubles += seen[key] != row
            if new:
                yield builder.table(new)
        self.log_conversion_errors(builder.conversion_errors)
        self.metrics.how = "the whole list, as the service gives it"
        if doubles:
            self.logger.warning(
                "%s: %s left out for an id that another has.", self.name, counted(doubles, "row")
            )
        self.finish()
        # An empty list may be a response that went wrong, and would empty the table.
        if self._stream_version is not None and seen and not self.metrics.failure:
            self._write_activate_version_message(self._stream_version)

    def _new_version(self) -> int | None:
        """Return a table version; none for a list that goes on from a bookmark."""
        is_whole = self._may_have_version and self.incremental_on is None
        return int(self.run.started_at.timestamp() * 1000) if is_whole else None

    def finish(self) -> None:
        """Do what is due once everything was read."""

    def _explained(self) -> Iterator[Sequence[Row]]:
        """Yield rows; give an error its remedy, if it has none."""
        try:
            yield from self.rows()
        except ApiError as error:
            if error.status in {_FORBIDDEN, _NOT_FOUND}:
                error.remedy = self.remedy
            elif isinstance(error, ResponseError) and not error.remedy:
                error.remedy = _LOOK.format(self.name)
            raise

    @property
    def remedy(self) -> str:
        """What to do where the service refuses the call."""
        return (
            f"The token's owner may have to be a global admin; or deselect {self.name} to go on "
            "without it."
        )
