"""Checks the names of attributes."""

from __future__ import annotations

from typing import Final

from totango_api import limits
from totango_api.writing import IdProblem, attribute_name_problems, length_problems

_BLANK: Final = " \N{NO-BREAK SPACE}"


def name_problems(name: str) -> list[IdProblem]:
    """Return why an attribute cannot have a name.

    A blank at an end is not among the reasons: it is odd, but no source says that Totango does
    not take it, and a tenant may have such a name.
    """
    if has_blank_end(name) and name.strip():
        return attribute_name_problems(name.strip(_BLANK)) + length_problems(
            name, limits.ATTRIBUTE_NAME_LENGTH
        )
    return attribute_name_problems(name)


def has_blank_end(name: str) -> bool:
    """Return whether a name begins or ends with a blank."""
    return name != name.strip(_BLANK)
