"""Reads back what was written and compares."""

from target_totango.verify.compare import Difference
from target_totango.verify.engagements import EngagementVerifier
from target_totango.verify.polling import Sent, Verdict, Verifier, pauses
from target_totango.verify.read_back import ReadBack, ReadBackResult
from target_totango.verify.rows import NAMES, ArrivalCheck, RowVerifier

__all__ = [
    "NAMES",
    "ArrivalCheck",
    "Difference",
    "EngagementVerifier",
    "ReadBack",
    "ReadBackResult",
    "RowVerifier",
    "Sent",
    "Verdict",
    "Verifier",
    "pauses",
]
