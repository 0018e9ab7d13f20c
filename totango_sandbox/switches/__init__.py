"""Holds every behaviour that the public sources leave open, as a switch with a default.

The table drives ``totango-sandbox serve --set``, ``POST /sandbox/set``, their error messages and
the help text. Beside it there are open-ended switches for filters and fields:
``term.<type>[.<term>]``, ``op.<type>.<operator>`` and ``field.<type>[.<name>]``.
"""

from totango_sandbox.switches.switches import Switches, describe, parse_assignment
from totango_sandbox.switches.table import SWITCH_GROUPS, SWITCHES, Switch

__all__ = ["SWITCHES", "SWITCH_GROUPS", "Switch", "Switches", "describe", "parse_assignment"]
