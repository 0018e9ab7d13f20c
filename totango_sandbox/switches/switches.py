"""The current answer to every open question, and how it is set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from totango_sandbox.errors import SwitchError
from totango_sandbox.switches.table import SWITCH_GROUPS, SWITCHES

if TYPE_CHECKING:
    from collections.abc import Mapping

_BY_NAME: Final = {switch.name: switch for switch in SWITCHES}
# Filters and fields: there are too many to name each, and names of attributes may be anything.
_OPEN_ENDED: Final = {
    re.compile(r"(term|op)\.[a-z_]+(\..+)?"): ("on", "off"),
    re.compile(r"field\.[a-z_]+(\..+)?"): ("on", "off", "null"),
}


class Switches:
    """The current answer to every open question."""

    def __init__(self) -> None:
        self._values = {switch.name: switch.default for switch in SWITCHES}
        self._open_ended: dict[str, str] = {}
        self.revision = 0
        self.keep()

    def keep(self) -> None:
        """Remember how the switches are set now."""
        self._kept = (self._values.copy(), self._open_ended.copy())

    def restore(self) -> None:
        """Put every switch back to what was remembered, or to its default."""
        values, open_ended = self._kept
        self._values, self._open_ended = values.copy(), open_ended.copy()
        self.revision += 1

    def set(self, name: str, value: str) -> None:
        """Set one switch.

        Raises:
            SwitchError: no such switch, or not a value of it; the message says what is allowed.
        """
        choices = next((given for form, given in _OPEN_ENDED.items() if form.fullmatch(name)), ())
        if choices:
            if value not in choices:
                msg = f"{name} takes {' or '.join(choices)}, not {value!r}"
                raise SwitchError(msg)
            self._open_ended[name] = value
        elif name not in _BY_NAME:
            known = ", ".join(sorted(_BY_NAME))
            msg = f"there is no switch {name!r}; there are: {known}, term.*, op.*, field.*"
            raise SwitchError(msg)
        elif re.fullmatch(_BY_NAME[name].values, value) is None:
            msg = f"{name} takes {_BY_NAME[name].shown}, not {value!r}"
            raise SwitchError(msg)
        else:
            self._values[name] = value
        self.revision += 1

    def set_all(self, wanted: Mapping[str, str]) -> None:
        """Set several switches, or none of them.

        Raises:
            SwitchError: as `set` does.
        """
        before = self._values.copy(), self._open_ended.copy()
        try:
            for name, value in wanted.items():
                self.set(name, value)
        except SwitchError:
            self._values, self._open_ended = before
            raise

    def text(self, name: str) -> str:
        """Return the value as it was set."""
        return self._values[name]

    def whole(self, name: str) -> int:
        """Return the value of a switch that takes whole numbers."""
        return int(self._values[name])

    def listed(self, name: str) -> frozenset[str]:
        """Return the parts of a value that has commas in it."""
        value = self._values[name]
        return frozenset(part.strip() for part in value.split(",")) if value else frozenset()

    def number(self, name: str) -> float:
        """Return the value of a switch that takes numbers."""
        return float(self._values[name])

    def on(self, name: str) -> bool:
        """Return whether an on/off switch is on."""
        return self._values[name] == "on"

    def open_ended(self, *names: str) -> list[str]:
        """Return the values of those switches for filters or fields that are set."""
        return [self._open_ended[name] for name in names if name in self._open_ended]

    def values(self) -> dict[str, str]:
        """Return the values of all switches, and of those for filters and fields that are set."""
        return self._values | self._open_ended

    def changed(self) -> dict[str, str]:
        """Switches that are not at their default, for people to see."""
        changed = {
            name: value for name, value in self._values.items() if value != _BY_NAME[name].default
        }
        return changed | self._open_ended


def parse_assignment(text: str) -> tuple[str, str]:
    """Split ``NAME=VALUE``.

    Raises:
        SwitchError: there is no ``=``.
    """
    name, equals, value = text.partition("=")
    if not equals:
        msg = f"{text!r} is not of the form SWITCH=VALUE"
        raise SwitchError(msg)
    return name.strip(), value.strip()


def describe() -> str:
    """Return the table of switches as lines of help text."""
    lines = []
    for title, group in SWITCH_GROUPS.items():
        lines.append(f"  {title}")
        lines += [
            f"    {switch.name:24} {switch.meaning}: {switch.shown} "
            f"(default {switch.default or 'none'})"
            for switch in group
        ]
    lines.append("  Filters and fields")
    lines.append("    term.<type>[.<term>]     a filter type is there or not: on|off")
    lines.append("    op.<type>.<operator>     an operator of a filter is there or not: on|off")
    lines.append("    field.<type>[.<name>]    a column is there, refused, or empty: on|off|null")
    return "\n".join(lines)
