"""Reads queries and requests as people paste them, from any program that copies one."""

from totango_api.search.pasted.query_parser import PastedQuery, query_from
from totango_api.search.pasted.request_parser import PastedRequest, request_from

__all__ = ["PastedQuery", "PastedRequest", "query_from", "request_from"]
