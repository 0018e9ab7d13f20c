"""Counts what a run does, and shows it while it runs."""

from target_totango.report.counts import Report
from target_totango.report.progress import Progress

__all__ = ["Progress", "Report"]
