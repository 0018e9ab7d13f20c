"""Remembers which accounts and users are in Totango: asked once, many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_totango.storage import RunStore
    from totango_api.search import Lookup

    Subject = tuple[str, ...]


class ExistingSubjects:
    """Knows what is in Totango, and what this run's rows bring there.

    Args:
        store: Remembers it.
        lookup: Returns who is asked.
    """

    def __init__(self, store: RunStore, lookup: Callable[[], Lookup]) -> None:
        self._store = store
        self._lookup = lookup

    def look_up(self, subjects: Iterable[Subject]) -> None:
        """Ask for those of which nothing is known: object and ids of each.

        Raises:
            ApiError: If Totango cannot be asked.
        """
        unknown = [one for one in dict.fromkeys(subjects) if self._store.existing(one) is None]
        for object_ in dict.fromkeys(one[0] for one in unknown):
            keys = [one[1:] for one in unknown if one[0] == object_]
            found = self._lookup().find(object_, keys)
            for key in keys:
                self._store.note_existing((object_, *key), there=key in found)

    def has(self, subject: Subject) -> bool:
        """Return whether one is known to be there."""
        return bool(self._store.existing(subject))

    def note(self, subject: Subject) -> None:
        """Note that a row of this run brings one there."""
        self._store.note_existing(subject, there=True)
