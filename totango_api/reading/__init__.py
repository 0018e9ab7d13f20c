"""Reads every row that matches a query throughout, and says whether any is missing.

Start at :mod:`totango_api.reading.complete_read`.
"""

from totango_api.reading.complete_read import CompleteRead
from totango_api.reading.date_keys import CREATE_DATE, DateKey, Movement, date_keys_of
from totango_api.reading.pages import Paging
from totango_api.reading.result import ReadResult, RecordBatch, ResumePoint
from totango_api.reading.scroll import ScrollRead
from totango_api.reading.values import UserPartitions, Values, values_of

__all__ = [
    "CREATE_DATE",
    "CompleteRead",
    "DateKey",
    "Movement",
    "Paging",
    "ReadResult",
    "RecordBatch",
    "ResumePoint",
    "ScrollRead",
    "UserPartitions",
    "Values",
    "date_keys_of",
    "values_of",
]
