"""Describes queries and reads one page; knows nothing of completeness."""

from totango_api.search.attributes import (
    ATTRIBUTES_PATH,
    CORE_ATTRIBUTES,
    DATE,
    DAY,
    DISCOVERY_SECONDS,
    LIFECYCLE,
    LIST,
    NUMBER,
    TEXT,
    Attribute,
    definitions,
    discover,
)
from totango_api.search.endpoint import (
    ACCOUNTS,
    STAFF_PATH,
    USERS,
    Hit,
    Key,
    OddRowLog,
    Page,
    Search,
    account_id_of,
    key_of,
    page_in,
    staff_search,
    whole_number,
)
from totango_api.search.key_lookup import LookupResult
from totango_api.search.list_page import ListPage, Row, list_in
from totango_api.search.lookup import Lookup
from totango_api.search.matching import Matcher
from totango_api.search.query import ASCENDING, DESCENDING, FieldSpec, Query, Term
from totango_api.search.query_parser import PastedQuery, query_from
from totango_api.search.reference_lists import (
    REFERENCE_PATHS,
    Reference,
    read_references,
    rows_in,
)
from totango_api.search.request_parser import PastedRequest, request_from

__all__ = [
    "ACCOUNTS",
    "ASCENDING",
    "ATTRIBUTES_PATH",
    "CORE_ATTRIBUTES",
    "DATE",
    "DAY",
    "DESCENDING",
    "DISCOVERY_SECONDS",
    "LIFECYCLE",
    "LIST",
    "NUMBER",
    "REFERENCE_PATHS",
    "STAFF_PATH",
    "TEXT",
    "USERS",
    "Attribute",
    "FieldSpec",
    "Hit",
    "Key",
    "ListPage",
    "Lookup",
    "LookupResult",
    "Matcher",
    "OddRowLog",
    "Page",
    "PastedQuery",
    "PastedRequest",
    "Query",
    "Reference",
    "Row",
    "Search",
    "Term",
    "account_id_of",
    "definitions",
    "discover",
    "key_of",
    "list_in",
    "page_in",
    "query_from",
    "read_references",
    "request_from",
    "rows_in",
    "staff_search",
    "whole_number",
]
