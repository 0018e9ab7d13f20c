"""What wrote a cell last, and when: one number for each cell, 0 for what was loaded."""

from __future__ import annotations

from typing import Final

MOVEMENT: Final = "movement"
_SURFACES: Final = ("loaded", "tracking", "hub", MOVEMENT)
_BASE: Final = 8
_CODES: Final = {surface: code for code, surface in enumerate(_SURFACES)}


def stamp(surface: str, moment: int) -> int:
    """Return surface and time of a write as one number.

    Args:
        surface: ``tracking``, ``hub`` or ``movement``.
        moment: epoch milliseconds.
    """
    return moment * _BASE + _CODES[surface]


def read_stamp(number: int) -> tuple[str, int | None]:
    """Return surface and time of a write; what was loaded has no time."""
    surface = _SURFACES[number % _BASE]
    return surface, number // _BASE if number else None
