"""Reads back what was written and compares."""

from target_totango.verify.compare import Difference, editable
from target_totango.verify.read_back import Checked, ReadBack
from target_totango.verify.records import RecordVerifier
from target_totango.verify.verification import NAMES, Sent, Verdict, Verifier, compare, pauses

__all__ = [
    "NAMES",
    "Checked",
    "Difference",
    "ReadBack",
    "RecordVerifier",
    "Sent",
    "Verdict",
    "Verifier",
    "compare",
    "editable",
    "pauses",
]
