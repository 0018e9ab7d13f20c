"""Counts what a run does, shows it while it runs, and says at the end what was not done."""

from tap_totango.report.counts import Report, StreamMetrics
from tap_totango.report.progress import Progress
from tap_totango.report.run_end import RunEnd, StreamFailures

__all__ = ["Progress", "Report", "RunEnd", "StreamFailures", "StreamMetrics"]
