"""Cutting a query by parts of names, and asking for rows by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_api.reading.splitting import Splitter, share_of
from totango_api.reading.walks import FILL, ListWalk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.reading.pieces import Piece
    from totango_api.reading.walks import Walk
    from totango_api.search.endpoint import Hit
    from totango_api.search.query import Term

_PART_LENGTHS: Final = range(1, 6)


class NameParts(Splitter):
    """Parts of names, as seen in the rows; pieces overlap.

    Evidenced: `{"type": "string", "term": "search_name", "contains": "..."}`.
    """

    name = "search_name"
    disjoint = False

    def coverage(self, sample: Sequence[Hit]) -> float:
        """Return little: this is for when nothing else helps."""
        return 0.1 if sample else 0.0

    def walk(self, piece: Piece, sample: Sequence[Hit], total: int, reach: int) -> Walk | None:
        """Cover the names seen with parts that are expected to be within reach, greedily."""
        if self.name in piece.terms:
            return None
        room = max(reach * FILL * share_of(len(sample), total), 1.0)
        names = [str(hit.get("display_name") or "") for hit in sample]
        term = {"type": "string", "term": "search_name"}
        parts = _cover(names, room)
        return ListWalk([piece.cut(self.name, {**term, "contains": part}) for part in parts])


def named_like(names: Sequence[str]) -> Term:
    """Return a term that rows of any of these names match.

    Evidenced: `or`, and `{"type": "string", "term": "search_name", "contains": "..."}`.
    """
    terms = [{"type": "string", "term": "search_name", "contains": name} for name in names]
    return terms[0] if len(terms) == 1 else {"type": "or", "or": terms}


def _cover(names: Sequence[str], room: float) -> list[str]:
    """Return parts of which every name holds one, each held by few enough names."""
    holders: dict[str, set[int]] = {}
    for index, name in enumerate(names):
        parts = {
            name[start : start + length]
            for length in _PART_LENGTHS
            for start in range(len(name) - length + 1)
        }
        for part in parts:
            holders.setdefault(part, set()).add(index)
    fitting = {part: held for part, held in holders.items() if len(held) <= room and part.strip()}
    uncovered = set(range(len(names)))
    chosen = []
    while uncovered and fitting:
        best = max(fitting, key=lambda part: (len(fitting[part] & uncovered), part))
        if not fitting[best] & uncovered:
            break
        uncovered -= fitting.pop(best)
        chosen.append(best)
    return chosen
