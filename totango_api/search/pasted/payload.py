"""What a pasted request sends, whichever program it was copied from."""

from __future__ import annotations

from dataclasses import dataclass


class PasteError(ValueError):
    """A paste cannot be read; the message continues a sentence that begins with the setting."""


@dataclass(frozen=True)
class Payload:
    """Form fields, or a body that is still encoded, or both; and where they are sent.

    Attributes:
        fields: Names and values, decoded.
        body: Text as it would travel: a form, JSON or multipart.
        url: Whole address; empty where the text names none.
        method: In capitals; empty where the text names none.
    """

    fields: tuple[tuple[str, str], ...] = ()
    body: str = ""
    url: str = ""
    method: str = ""
