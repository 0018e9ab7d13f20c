"""Orders a run: process, filter, deliver, handle results, finish."""

from target_totango.pipeline.decisions import Rejected, Skipped
from target_totango.pipeline.record_processor import RecordProcessor
from target_totango.pipeline.run import Run
from target_totango.pipeline.stages import DRAIN_SECONDS

__all__ = [
    "DRAIN_SECONDS",
    "RecordProcessor",
    "Rejected",
    "Run",
    "Skipped",
]
