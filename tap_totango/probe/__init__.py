"""Asks a service what reading it depends on: one module a group of questions."""

from tap_totango.probe.command import QUESTIONS, probe

__all__ = ["QUESTIONS", "probe"]
