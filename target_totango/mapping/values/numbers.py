"""Reads numbers as people write them: `$1,200.50`, `1.200,50 €`, `(1 200)`.

Totango takes plain digits, without separators and currency signs ("Attributes and data types").
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from target_totango.mapping.values.convert import Conversion, refuse, shown, to_number

if TYPE_CHECKING:
    from collections.abc import Sequence

_SAMPLE: Final = re.compile(r"1(?P<group>[^\w+-]?)200(?:(?P<mark>[^\w\s+-])50)?", re.ASCII)
_BLANKS: Final = "\u00a0\u202f\u2009 "
"""Blanks that part digits; each stands for every other."""

_CURRENCY_CODE: Final = re.compile(
    r"^(?P<sign>[-+(]*)[A-Z]{3}(?=[\s\d-])|(?<=[\s\d])[A-Z]{3}(?=\)?$)"
)


def number_pattern(sample: str) -> re.Pattern[str]:
    """Return what numbers look like that are written as 1200.50 is in a sample.

    Raises:
        ValueError: If the sample is none, such as `1,200.50` or `1.200,50`.
    """
    match = _SAMPLE.fullmatch(sample)
    if match is None or (match["group"] and match["group"] == match["mark"]):
        msg = f"number_format {sample!r} is none: it says how 1200.50 is written, as 1,200.50"
        raise ValueError(msg)
    group, mark = match["group"], match["mark"]
    whole = r"\d+"
    if group:
        parts = f"[{_BLANKS}]" if group in _BLANKS else re.escape(group)
        whole = rf"(?:\d{{1,3}}(?:{parts}\d{{3}})+|\d+)"
    fraction = rf"(?:{re.escape(mark)}(?P<fraction>\d+))?" if mark else "(?P<fraction>)"
    return re.compile(f"(?P<whole>{whole}){fraction}", re.ASCII)


def number_conversion(samples: Sequence[str]) -> Conversion[str]:
    """Return a conversion of numbers: of texts that are written like a sample, the first that fits.

    Raises:
        ValueError: If a sample is none.
    """
    patterns = [number_pattern(sample) for sample in samples]

    def from_text(text: str) -> str:
        is_negative, digits = _bare(text)
        for pattern in patterns:
            if match := pattern.fullmatch(digits):
                whole = re.sub(r"\D", "", match["whole"])
                fraction = f".{match['fraction']}" if match["fraction"] else ""
                return f"{'-' * is_negative}{whole}{fraction}"
        return refuse("not a number", f"{shown(text)} is not a number like {' or '.join(samples)}")

    return Conversion({**to_number, str: from_text})


def _bare(text: str) -> tuple[bool, str]:
    """Return whether a number is negative, and its digits and marks, without signs of currency."""
    bare = _CURRENCY_CODE.sub(lambda match: match["sign"] or "", text.strip())
    bare = "".join(each for each in bare if unicodedata.category(each) != "Sc").strip(_BLANKS)
    bare = bare.replace("\u2212", "-")
    is_negative = False
    if bare.startswith("(") and bare.endswith(")"):
        is_negative, bare = True, bare[1:-1].strip(_BLANKS)
    elif bare.startswith("-") or bare.endswith("-"):
        is_negative = True
        bare = (bare[1:] if bare.startswith("-") else bare[:-1]).strip(_BLANKS)
    elif bare.startswith("+"):
        bare = bare[1:].strip(_BLANKS)
    return is_negative, bare
