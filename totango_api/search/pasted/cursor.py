"""Reads a text from left to right, for the languages whose values are evaluated."""

from __future__ import annotations

import re

from totango_api.search.pasted.payload import PasteError


class Cursor:
    """Takes one token after another from a text.

    Args:
        text: What is read.
        blanks: Pattern of what stands between tokens and means nothing.
        language: What the text is, for errors.
    """

    def __init__(self, text: str, *, blanks: str, language: str) -> None:
        self.text = text
        self.place = 0
        self._blanks = re.compile(blanks)
        self._language = language

    def skip_blanks(self) -> None:
        """Move past blanks and comments."""
        match = self._blanks.match(self.text, self.place)
        self.place = match.end() if match else self.place

    def take(self, pattern: str) -> re.Match[str] | None:
        """Move past a pattern that stands here, and return what it matched."""
        match = re.compile(pattern).match(self.text, self.place)
        if match is not None:
            self.place = match.end()
        return match

    def take_token(self, pattern: str) -> re.Match[str] | None:
        """Move past blanks and a pattern behind them; stay where there is none."""
        before = self.place
        self.skip_blanks()
        match = self.take(pattern)
        if match is None:
            self.place = before
        return match

    def at_end(self) -> bool:
        """Return whether nothing but blanks is left."""
        before = self.place
        self.skip_blanks()
        ended = self.place >= len(self.text)
        self.place = before
        return ended

    def need(self, pattern: str, what: str) -> re.Match[str]:
        """Move past blanks and a pattern that must stand here.

        Raises:
            PasteError: If it does not.
        """
        match = self.take_token(pattern)
        if match is None:
            msg = f"{what} expected"
            raise self.error(msg)
        return match

    def error(self, problem: str) -> PasteError:
        """Return the error for a problem at this place; it shows nothing of the text."""
        line = self.text.count("\n", 0, self.place) + 1
        return PasteError(f"the {self._language} cannot be read at line {line}: {problem}")


def joined_surrogates(text: str) -> str:
    """Make characters of pairs of surrogates: these languages count in units of UTF-16."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
