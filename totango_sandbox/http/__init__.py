"""HTTP as the handlers see it: requests, responses and their envelopes, rate limit, call log."""

from totango_sandbox.http.call_log import CallLog
from totango_sandbox.http.messages import (
    GIF,
    HTML,
    JSON,
    NDJSON,
    TEXT,
    Header,
    Request,
    Response,
    failed,
    reply,
    success,
    unauthorized,
)
from totango_sandbox.http.rate_limit import RateLimit, limit_headers, too_many

__all__ = [
    "GIF",
    "HTML",
    "JSON",
    "NDJSON",
    "TEXT",
    "CallLog",
    "Header",
    "RateLimit",
    "Request",
    "Response",
    "failed",
    "limit_headers",
    "reply",
    "success",
    "too_many",
    "unauthorized",
]
