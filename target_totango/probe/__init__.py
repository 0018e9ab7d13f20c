"""Asks a service how it takes writes, on one account: one module a group of questions."""

from target_totango.probe.command import QUESTIONS, probe

__all__ = ["QUESTIONS", "probe"]
