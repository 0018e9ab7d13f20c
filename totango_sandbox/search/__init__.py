"""Finds rows: what a query asks for, which rows it selects, one page and its columns."""

from totango_sandbox.search.event_filters import compile_event_terms, event_time
from totango_sandbox.search.execution import Searcher
from totango_sandbox.search.fields import select_fields
from totango_sandbox.search.query import Query, read_query

__all__ = [
    "Query",
    "Searcher",
    "compile_event_terms",
    "event_time",
    "read_query",
    "select_fields",
]
