"""Asks a service which reading of the open questions it follows, within a budget of calls.

What the questions are is up to the plugins; each of them has a room of questions.
"""

from totango_api.probe.caller import Caller, is_refusal, status_text
from totango_api.probe.command import are_settled, conclude, probe_parser, probed
from totango_api.probe.profile import Profile
from totango_api.probe.questions import (
    FAILED,
    NOT_ASKED,
    Answer,
    Question,
    Result,
    ask_all,
    asked,
    does_not_arise,
)

__all__ = [
    "FAILED",
    "NOT_ASKED",
    "Answer",
    "Caller",
    "Profile",
    "Question",
    "Result",
    "are_settled",
    "ask_all",
    "asked",
    "conclude",
    "does_not_arise",
    "is_refusal",
    "probe_parser",
    "probed",
    "status_text",
]
