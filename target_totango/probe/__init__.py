"""Asks a service how it takes writes, on one account: one module a group of questions."""

from target_totango.probe.command import ALWAYS_ASKED, QUESTIONS, probe

__all__ = ["ALWAYS_ASKED", "QUESTIONS", "probe"]
